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
	return diagnose(Span{}, CodeSource, "", "the program is %d bytes long, the maximum is %d", length, limit)
}

func notUTF8(at Span, b byte) Diagnostic {
	return diagnose(at, CodeSource, "save the file as UTF-8", "byte %d (0x%02x) is not UTF-8: the program is not text", at.Start, b)
}

func nulByte(at Span) Diagnostic {
	return diagnose(at, CodeSource, "", "byte %d is zero: the program is not text", at.Start)
}

func unterminatedString(at Span) Diagnostic {
	return diagnose(at, CodeString, "write a quote in a string as \\\"", "missing closing quote of the string")
}

func invalidText(at Span, text string) Diagnostic {
	hint := ""
	switch first := []rune(text)[0]; {
	case strings.ContainsRune("'`\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb", first):
		hint = "use straight double quotes for strings: \"...\""
	case strings.HasPrefix(text, "//"), strings.HasPrefix(text, "/*"):
		hint = "a comment begins with #"
	case first == '/':
		hint = "use double quotes for a part of a path with a slash: a.\"b.c/d\""
	case first == '%':
		hint = "use a decimal for a fraction: 0.5"
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
	return diagnose(at, CodeSyntax, "both of two tests: a == 1 && b == 2", "`&` is not an operator: use `&&` for and")
}

func singlePipe(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, "use `|` only to define a variable: $x := path | test", "`|` is not an operator here: use `||` for or")
}

func wordForOperator(at Span, word, operator string) Diagnostic {
	return diagnose(at, CodeSyntax, "", "`%s` is not an operator: use `%s`", word, operator)
}

func plusSign(at Span, what string) Diagnostic {
	return diagnose(at, CodeSyntax, "write numbers without a plus sign", "expected %s, found `+`", what)
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
	return diagnose(at, CodeSyntax, "!(a == 1), !exists(a), or a != 1", "`!` is only allowed before `exists(` and `(`")
}

func pathAlone(at Span, path string) Diagnostic {
	return diagnose(at, CodeSyntax, fmt.Sprintf("exists(%s) tests whether it is there", shortened(path)), "a path alone is not a test")
}

func unknownTest(at Span, name string) Diagnostic {
	if name == "not" {
		return diagnose(at, CodeSyntax, "!(a == 1), or !exists(a)", "`not` is not an operator: use `!`")
	}
	hint := ""
	if Distance(strings.ToLower(name), "exists") <= 2 {
		hint = "did you mean exists?"
	}
	return diagnose(at, CodeSyntax, hint, "`%s(` is not a test: only `exists(` is", shortened(name))
}

func starInSelector(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, "remove it: the tests select the objects", "`*` selects all objects and must be alone")
}

func misplacedAt(at Span, text, what string) Diagnostic {
	return diagnose(at, CodeSyntax, "@t and @gvk must be on the left side of a test", "expected %s, found `%s`", what, shortened(text))
}

func unknownSpecial(at Span, text string) Diagnostic {
	return diagnose(at, CodeSyntax, "", "there is no `%s`, only `@t`, the time, and `@gvk`, the kind", shortened(text))
}

func emptyCommand(at Span) Diagnostic {
	return diagnose(at, CodeSyntax, "", "expected a command before `;`")
}

func unknownCommand(at Span, name string) Diagnostic {
	names, best, closest := []string{}, "", 3
	for kind := Delete; kind <= Duplicate; kind++ {
		names = append(names, kind.String())
		if d := Distance(strings.ToLower(name), kind.String()); d < closest {
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
	return diagnose(at, CodeCommand, usage(kind), "expected `)`, found `,`: %s takes no further argument", kind)
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
	return diagnose(at, CodePath, "", "a path must not contain white space")
}

func noDot(at Span) Diagnostic {
	return diagnose(at, CodePath, "", "the parts of a path must be separated by `.`")
}

func variableInside(at Span) Diagnostic {
	return diagnose(at, CodePath, "", "a variable is only allowed at the start of a path")
}

func namelessVariable(at Span) Diagnostic {
	return diagnose(at, CodeVariable, "", "the name of a variable must begin with a letter or `_` directly after the `$`")
}

func bareWildcard(at Span) Diagnostic {
	return diagnose(at, CodePath, "use a[*] for all elements of an array", "`*` is only allowed in brackets in a path")
}

func dotBeforeIndex(at Span) Diagnostic {
	return diagnose(at, CodePath, "a[0].b, not a.[0].b", "`.` is not allowed before `[`")
}

func badIndex(at Span) Diagnostic {
	return diagnose(at, CodePath, "quote a field with an unusual name: a.\"name\"", "expected a number or `*` between brackets")
}

func indexOutOfRange(at Span, limit int) Diagnostic {
	return diagnose(at, CodeRange, "", "the index of an array must be a number from 0 to %d", limit)
}

func badQuotedName(at Span) Diagnostic {
	return diagnose(at, CodePath, "", "a quoted name must consist of letters, digits, `_`, `-`, `.` and `/`, and must not be empty")
}

func bareText(at Span) Diagnostic {
	return diagnose(at, CodeValue, "use double quotes for strings: \"...\"", "expected a value; paths are not allowed in arrays and objects")
}

func bareKey(at Span, key string) Diagnostic {
	return diagnose(at, CodeValue, fmt.Sprintf("\"%s\": ...", shortened(key)), "the keys of an object must be in double quotes")
}

func duplicateKey(at Span, key string) Diagnostic {
	return diagnose(at, CodeValue, "", "the object has the key `%s` already", shortened(key))
}

func trailingComma(at Span) Diagnostic {
	return diagnose(at, CodeValue, "", "a comma is not allowed after the last element")
}

func integerOutOfRange(at Span) Diagnostic {
	return diagnose(at, CodeRange, "integers must be between -9223372036854775808 and 9223372036854775807", "the number is out of range")
}

func decimalOutOfRange(at Span) Diagnostic {
	return diagnose(at, CodeRange, "", "the number is out of range of 64-bit decimals")
}

func badTime(at Span) Diagnostic {
	return diagnose(at, CodeValue, "10m, 1h30m or 2d after the trace's start, or unix seconds such as 1764590400", "invalid time")
}

func timeOutOfRange(at Span) Diagnostic {
	return diagnose(at, CodeRange, "times must not be before the trace's start, or 1970, or more than 292 years later", "the time is out of range")
}

func badDuration(at Span) Diagnostic {
	return diagnose(at, CodeValue, "30s, 10m, 1h30m, 2d, and the same with a - for earlier", "invalid duration")
}

func durationOutOfRange(at Span) Diagnostic {
	return diagnose(at, CodeRange, "", "the duration is out of range: it is more than 292 years")
}

func negativeFactor(at Span) Diagnostic {
	return diagnose(at, CodeRange, "", "the factor must not be negative")
}

func copiesOutOfRange(at Span, limit int) Diagnostic {
	return diagnose(at, CodeRange, "", "the number of copies must be an integer from 1 to %d", limit)
}

func noVariableTest(at Span, variable string) Diagnostic {
	hint := fmt.Sprintf("all places of the path: %s := path | exists(%s)", shortened(variable), shortened(variable))
	return diagnose(at, CodeVariable, hint, "expected `|` and a test after the path of a variable")
}

func definitionOfPath(at Span) Diagnostic {
	return diagnose(at, CodeVariable, "$x := path | test", "`:=` defines a variable; `=` sets a field, and `==` compares it")
}

func undefinedVariable(at Span, name string, defined []string) Diagnostic {
	hint := ""
	for _, d := range defined[:min(len(defined), 100)] {
		if hint == "" && Distance(d, name) <= 2 {
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
	return diagnose(at, CodeVariable, "", "the variable $%s is not defined yet: the right side can only use variables that are defined before it", shortened(name))
}

func definedTwice(at Span, name string) Diagnostic {
	return diagnose(at, CodeVariable, "", "the variable $%s is defined twice in this selector", shortened(name))
}

func misplacedDefinition(at Span) Diagnostic {
	return diagnose(at, CodeVariable, "", "a variable must not be defined under `||`, `!` or in the test of another variable")
}

func otherLeftSide(at Span, variable string) Diagnostic {
	return diagnose(at, CodeVariable, "join tests of other fields with &&", "the test of $%[1]s must be on a path that begins with $%[1]s", shortened(variable))
}

func notOfVariable(at Span, variable string) Diagnostic {
	return diagnose(at, CodeVariable, "join it with &&", "the test of $%[1]s must be on a path that begins with $%[1]s, not on the time or kind of the object", shortened(variable))
}

func notAQuantity(at Span, op Op) Diagnostic {
	return diagnose(at, CodeComparison, "\"500m\", \"2\" and \"1Gi\" are quantities", "`%s` compares numbers and Kubernetes quantities, and this string is not a quantity", op)
}

func notOrdered(at Span, op Op) Diagnostic {
	return diagnose(at, CodeComparison, "", "`%s` compares numbers and Kubernetes quantities, and this is neither", op)
}

func badPattern(at Span, mistake string) Diagnostic {
	return diagnose(at, CodeRegexp, "", "invalid regular expression: %s", shortened(mistake))
}

func badKind(at Span) Diagnostic {
	return diagnose(at, CodeKind, "write kinds as \"apps/v1.Deployment\" or \"v1.Pod\", in quotes", "invalid kind")
}

func badAPIVersion(at Span) Diagnostic {
	return diagnose(at, CodeObject, "\"v1\" or \"apps/v1\"", "invalid apiVersion")
}

func incompleteObject(at Span, field string) Diagnostic {
	return diagnose(at, CodeObject, "", "an object needs %s, a non-empty string", field)
}

func badNamespace(at Span) Diagnostic {
	return diagnose(at, CodeObject, "", "metadata.namespace must be a string")
}

func tooDeep(at Span, limit int) Diagnostic {
	return diagnose(at, CodeLimit, "", "nested deeper than the maximum of %d levels", limit)
}

func tooManyCommands(at Span, limit int) Diagnostic {
	return diagnose(at, CodeLimit, "", "the program has more than %d commands", limit)
}

// Distance returns the edit distance of two short words. It returns a large number for long words.
func Distance(a, b string) int {
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
