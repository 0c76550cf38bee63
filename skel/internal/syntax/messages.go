package syntax

import (
	"fmt"
	"slices"
	"strings"
)

// The kinds of mistakes.
const (
	CodeSource     Code = "source"     // the source is not text, or too long
	CodeSyntax     Code = "syntax"     // something is missing or misplaced
	CodeString     Code = "string"     // a string that is not closed
	CodeCommand    Code = "command"    // an unknown command, or wrong arguments
	CodePath       Code = "path"       // an invalid path
	CodeValue      Code = "value"      // an invalid value
	CodeRange      Code = "range"      // a number, a time or a duration that is out of range
	CodeVariable   Code = "variable"   // a variable that is not defined, or defined in the wrong place
	CodeComparison Code = "comparison" // values that cannot be compared
	CodeRegexp     Code = "regexp"     // a regular expression that cannot be compiled
	CodeKind       Code = "kind"       // a string that is not the kind of an object
	CodeObject     Code = "object"     // an object that cannot be in a trace
	CodeLimit      Code = "limit"      // too many commands, or too deep nesting
)

// usages are the syntax summaries of the commands.
var usages = map[CommandKind]string{
	Delete:    "delete(selector);",
	Remove:    "remove(selector, path); or remove(path);",
	Modify:    "modify(selector, path = value); or modify(path = value);",
	Insert:    "insert(time, {object});",
	Scale:     "scale(selector, factor);",
	Shift:     "shift(selector, duration);",
	Duplicate: "duplicate(selector, copies);",
}

func usage(kind CommandKind) string { return "the command is " + usages[kind] }

// diagnose is used by the functions below. They contain all texts, one function for each mistake.
func diagnose(at Span, code Code, hint, format string, args ...any) Diagnostic {
	return Diagnostic{Span: at, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint}
}

func sourceTooLong(length, limit int) Diagnostic {
	return diagnose(Span{}, CodeSource, "", "the program is %d bytes long, more than the %d that are read", length, limit)
}

func notUTF8(at Span, b byte) Diagnostic {
	return diagnose(at, CodeSource, "save the file as UTF-8", "byte %d (0x%02x) is not UTF-8: the program is no text", at.Start, b)
}

func nulByte(at Span) Diagnostic {
	return diagnose(at, CodeSource, "", "byte %d is zero: the program is no text", at.Start)
}

func unterminatedString(at Span) Diagnostic {
	return diagnose(at, CodeString, "a quote inside of a string is written \\\"", "the closing quote of this string is missing")
}

func invalidText(at Span, text string) Diagnostic {
	hint := ""
	switch first := []rune(text)[0]; {
	case strings.ContainsRune("'`\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb", first):
		hint = "strings stand in straight double quotes: \"...\""
	case strings.HasPrefix(text, "//"), strings.HasPrefix(text, "/*"):
		hint = "a comment begins with #"
	case first == '/':
		hint = "the part of a path that has a slash stands in double quotes: a.\"b.c/d\""
	case first == '%':
		hint = "a part is written as a decimal: 0.5"
	case first == '\u00a0' || first == '\u200b' || first == '\ufeff':
		hint = "replace it with a space"
	}
	return diagnose(at, CodeSyntax, hint, "%s has no meaning here", visible(text))
}

// visible quotes a piece of the source, with code points if it may not be visible.
func visible(text string) string {
	runes := []rune(text)
	if len(runes) == 1 && runes[0] >= 0x80 {
		return fmt.Sprintf("`%s` (%U)", printable(text), runes[0])
	}
	return "`" + shortened(text) + "`"
}

// shortened truncates a quoted piece of the source to a readable length.
func shortened(text string) string {
	const limit = 40
	text, _, cut := strings.Cut(text, "\n")
	if runes := []rune(text); len(runes) > limit {
		text, cut = string(runes[:limit]), true
	}
	text = printable(strings.TrimRight(text, "\r"))
	if cut {
		text += "…"
	}
	return text
}

func expected(at Span, what, found string) Diagnostic {
	return diagnose(at, CodeSyntax, "", "expected %s, found `%s`", what, shortened(found))
}

// missing is used if something is expected where the command or the program ends.
func missing(at Span, what, found string) Diagnostic {
	if found == "" {
		return diagnose(at, CodeSyntax, "", "expected %s, but the program ends", what)
	}
	return diagnose(at, CodeSyntax, "", "expected %s before `%s`", what, found)
}

func missingSemicolon(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, "", "expected `;` after the command")
}

func singleAmpersand(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, "both of two tests: a == 1 && b == 2", "`&` is no operator: and is written `&&`")
}

func singlePipe(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, "one `|` stands only in a variable's definition: $x := path | test", "`|` is no operator here: or is written `||`")
}

func wordForOperator(at Span, word, operator string) Diagnostic {
	return diagnose(at, CodeSyntax, "", "`%s` is no operator: it is written `%s`", word, operator)
}

func plusSign(at Span, what string) Diagnostic {
	return diagnose(at, CodeSyntax, "numbers are written without a plus sign", "expected %s, found `+`", what)
}

func assignmentForComparison(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, "", "`=` sets a field; a test compares with `==`")
}

func assignmentForDefinition(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, "$x := path | test", "`=` sets a field; a variable is defined with `:=`")
}

func comparisonForAssignment(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, usage(Modify), "`==` compares; a field is set with `=`")
}

func misplacedNot(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, "!(a == 1), !exists(a), or a != 1", "`!` stands only before `exists(` and `(`")
}

func pathAlone(at Span, path string) Diagnostic {
	return diagnose(at, CodeSyntax, fmt.Sprintf("exists(%s) tests whether it is there", shortened(path)), "a path alone is no test")
}

func unknownTest(at Span, name string) Diagnostic {
	if name == "not" {
		return diagnose(at, CodeSyntax, "!(a == 1), or !exists(a)", "`not` is no operator: it is written `!`")
	}
	hint := ""
	if distance(strings.ToLower(name), "exists") <= 2 {
		hint = "did you mean exists?"
	}
	return diagnose(at, CodeSyntax, hint, "`%s(` begins no test: only `exists(` does", shortened(name))
}

func starInSelector(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, "leave it out: the tests alone say which objects", "`*` means all objects: it stands alone")
}

func misplacedAt(at Span, text, what string) Diagnostic {
	return diagnose(at, CodeSyntax, "@t and @gvk stand on the left side of a test", "expected %s, found `%s`", what, shortened(text))
}

func unknownSpecial(at Span, text string) Diagnostic {
	return diagnose(at, CodeSyntax, "", "there is no `%s`, only `@t`, the time, and `@gvk`, the kind", shortened(text))
}

func emptyCommand(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, "", "there is no command before this `;`")
}

func unknownCommand(at Span, name string) Diagnostic {
	names, best, closest := []string{}, "", 3
	for kind := Delete; kind <= Duplicate; kind++ {
		names = append(names, kind.String())
		if d := distance(strings.ToLower(name), kind.String()); d < closest {
			best, closest = kind.String(), d
		}
	}
	hint := "the commands are " + strings.Join(names, ", ")
	if best != "" {
		hint = fmt.Sprintf("did you mean %s?", best)
	}
	return diagnose(at, CodeCommand, hint, "there is no command `%s`", shortened(name))
}

func tooManyArguments(at Span, kind CommandKind) Diagnostic {
	return diagnose(at, CodeCommand, usage(kind), "expected `)`, found `,`: %s has no further argument", kind)
}

func tooFewArguments(at Span, kind CommandKind) Diagnostic {
	return diagnose(at, CodeCommand, usage(kind), "expected `,`, found `)`: %s needs a further argument", kind)
}

func noArgument(at Span, kind CommandKind) Diagnostic {
	if kind == Remove || kind == Modify {
		return diagnose(at, CodeCommand, usage(kind), "%s needs a selector or a path here", kind)
	}
	return diagnose(at, CodeCommand, usage(kind), "%s needs a selector here, or `*` for all objects", kind)
}

func spaceInPath(at Span) Diagnostic {
	return diagnose(at, CodePath, "", "a path has no white space inside")
}

func noDot(at Span) Diagnostic {
	return diagnose(at, CodePath, "", "the parts of a path have a `.` between them")
}

func variableInside(at Span) Diagnostic {
	return diagnose(at, CodePath, "", "a variable can stand only at the beginning of a path")
}

func namelessVariable(at Span) Diagnostic {
	return diagnose(at, CodeVariable, "", "the name of a variable begins with a letter or `_` right after the `$`")
}

func bareWildcard(at Span) Diagnostic {
	return diagnose(at, CodePath, "all elements of an array are meant by a[*]", "`*` stands in a path only between brackets")
}

func dotBeforeIndex(at Span) Diagnostic {
	return diagnose(at, CodePath, "a[0].b, not a.[0].b", "no `.` may stand before `[`")
}

func badIndex(at Span) Diagnostic {
	return diagnose(at, CodePath, "a field with an unusual name is written a.\"name\"", "expected a number or `*` between brackets")
}

func indexOutOfRange(at Span, limit int) Diagnostic {
	return diagnose(at, CodeRange, "", "the index of an array is a number from 0 to %d", limit)
}

func badQuotedName(at Span) Diagnostic {
	return diagnose(at, CodePath, "", "a name in quotes has letters, digits, `_`, `-`, `.` and `/`, and at least one of them")
}

func bareText(at Span) Diagnostic {
	return diagnose(at, CodeValue, "strings stand in double quotes: \"...\"", "expected a value; no paths are inside of arrays and objects")
}

func bareKey(at Span, key string) Diagnostic {
	return diagnose(at, CodeValue, fmt.Sprintf("\"%s\": ...", shortened(key)), "the keys of an object stand in double quotes")
}

func duplicateKey(at Span, key string) Diagnostic {
	return diagnose(at, CodeValue, "", "the object has the key `%s` already", shortened(key))
}

func trailingComma(at Span) Diagnostic {
	return diagnose(at, CodeValue, "", "no comma may follow the last element")
}

func integerOutOfRange(at Span) Diagnostic {
	return diagnose(at, CodeRange, "integers go from -9223372036854775808 to 9223372036854775807", "the number is out of range")
}

func decimalOutOfRange(at Span) Diagnostic {
	return diagnose(at, CodeRange, "", "the number is out of range: decimals have 64 bits")
}

func badTime(at Span) Diagnostic {
	return diagnose(at, CodeValue, "10m, 1h30m or 2d after the trace's start, or unix seconds such as 1764590400", "this is no time")
}

func timeOutOfRange(at Span) Diagnostic {
	return diagnose(at, CodeRange, "times are not before the trace's start, or 1970, and not 292 years after", "the time is out of range")
}

func badDuration(at Span) Diagnostic {
	return diagnose(at, CodeValue, "30s, 10m, 1h30m, 2d, and the same with a - for earlier", "this is no duration")
}

func durationOutOfRange(at Span) Diagnostic {
	return diagnose(at, CodeRange, "", "the duration is out of range: it is more than 292 years")
}

func negativeFactor(at Span) Diagnostic {
	return diagnose(at, CodeRange, "", "the factor is less than 0")
}

func copiesOutOfRange(at Span, limit int) Diagnostic {
	return diagnose(at, CodeRange, "", "the number of copies is a whole number from 1 to %d", limit)
}

func noVariableTest(at Span, variable string) Diagnostic {
	hint := fmt.Sprintf("all places of the path: %s := path | exists(%s)", shortened(variable), shortened(variable))
	return diagnose(at, CodeVariable, hint, "expected `|` and a test after the path of a variable")
}

func definitionOfPath(at Span) Diagnostic {
	return diagnose(at, CodeVariable, "$x := path | test", "only a variable is defined with `:=`; a field is set with `=`, and compared with `==`")
}

func undefinedVariable(at Span, name string, defined []string) Diagnostic {
	hint := ""
	for _, d := range defined[:min(len(defined), 100)] {
		if hint == "" && distance(d, name) <= 2 {
			hint = fmt.Sprintf("did you mean $%s?", shortened(d))
		}
	}
	if hint == "" && len(defined) == 0 {
		hint = fmt.Sprintf("define it in the selector, to the left: $%s := path | test", shortened(name))
	}
	return diagnose(at, CodeVariable, hint, "the variable $%s is not defined", shortened(name))
}

func usedBeforeDefinition(at Span, name string) Diagnostic {
	return diagnose(at, CodeVariable, "it is defined further right", "the variable $%s is not defined yet", shortened(name))
}

func usedByItself(at Span, name string) Diagnostic {
	return diagnose(at, CodeVariable, "", "the variable $%s is not defined yet: on the right side stand variables defined before it", shortened(name))
}

func definedTwice(at Span, name string) Diagnostic {
	return diagnose(at, CodeVariable, "", "the variable $%s is defined twice in this selector", shortened(name))
}

func misplacedDefinition(at Span) Diagnostic {
	return diagnose(at, CodeVariable, "", "a variable is defined only where its test has to hold: not under `||`, `!` or the test of another variable")
}

func otherLeftSide(at Span, variable string) Diagnostic {
	return diagnose(at, CodeVariable, "tests of other fields are joined with &&", "the test of $%[1]s is of a path that begins with $%[1]s", shortened(variable))
}

func notOfVariable(at Span, variable string) Diagnostic {
	return diagnose(at, CodeVariable, "join it with &&", "the test of $%[1]s is of a path that begins with $%[1]s, not of the object's time or kind", shortened(variable))
}

func notAQuantity(at Span, op Op) Diagnostic {
	return diagnose(at, CodeComparison, "\"500m\", \"2\" and \"1Gi\" are quantities", "`%s` compares numbers and Kubernetes quantities, and this string is none", op)
}

func notOrdered(at Span, op Op) Diagnostic {
	return diagnose(at, CodeComparison, "", "`%s` compares numbers and Kubernetes quantities, and this is neither", op)
}

func badPattern(at Span, mistake string) Diagnostic {
	return diagnose(at, CodeRegexp, "", "the regular expression cannot be used: %s", shortened(mistake))
}

func badKind(at Span) Diagnostic {
	return diagnose(at, CodeKind, "kinds are written \"apps/v1.Deployment\" or \"v1.Pod\", in quotes", "this names no kind of object")
}

func badAPIVersion(at Span) Diagnostic {
	return diagnose(at, CodeObject, "\"v1\" or \"apps/v1\"", "this is no apiVersion")
}

func incompleteObject(at Span, field string) Diagnostic {
	return diagnose(at, CodeObject, "", "an object needs %s, a string that is not empty", field)
}

func badNamespace(at Span) Diagnostic {
	return diagnose(at, CodeObject, "", "metadata.namespace is a string")
}

func tooDeep(at Span, limit int) Diagnostic {
	return diagnose(at, CodeLimit, "", "this is inside of %d others: no expression or value may be nested deeper", limit)
}

func tooManyCommands(at Span, limit int) Diagnostic {
	return diagnose(at, CodeLimit, "", "the program has more than %d commands", limit)
}

// distance returns the edit distance of two short words. It returns a large number for long words.
func distance(a, b string) int {
	const limit = 40
	if len(a) > limit || len(b) > limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := slices.Clone(row)
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(before[j]+change, before[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
