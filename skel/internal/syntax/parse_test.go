package syntax

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// parsed parses a valid program.
func parsed(t testing.TB, source string) *Program {
	t.Helper()
	p, found, more := Parse(source, DefaultLimits())
	if len(found) > 0 || more > 0 {
		t.Fatalf("mistakes in\n%s\n\n%s", source, Render("", source, found, more))
	}
	return p
}

func TestParse_Trees(t *testing.T) {
	testGolden(t, "trees.txt", func(t *testing.T, input string) string { return dump(parsed(t, input)) })
}

func TestParse_Mistakes(t *testing.T) {
	testGolden(t, "mistakes.txt", func(_ *testing.T, input string) string {
		_, found, more := Parse(input, DefaultLimits())
		return Render("a.skel", input, found, more)
	})
}

func TestParse_UnusualBytes(t *testing.T) {
	tests := map[string]struct{ source, tree, mistakes string }{
		"byte order mark":            {source: "\ufeffdelete(*);", tree: "delete *\n"},
		"byte order mark, a mistake": {source: "\ufeffdelet(*);", mistakes: "1:1: there is no command `delet`\n  1 | delet(*);\n    | ^^^^^\n  hint: did you mean delete?"},
		"byte order mark inside":     {source: "delete(\ufeff*);", mistakes: "1:8: `` (U+FEFF) has no meaning here\n  1 | delete(*);\n    |        ^\n  hint: replace it with a space"},
		"line ends of Windows":       {source: "delete(*); # all\r\nremove(\r\n\tstatus);\r\n", tree: "delete *\nremove status\n"},
		"mistake before such an end": {source: "delete(a)\r\n;\r\n", mistakes: "1:8: a path alone is not a test\n  1 | delete(a)\n    |        ^\n  hint: exists(a) tests whether it is there"},
		"no-break space":             {source: "delete(a\u00a0== 1);", mistakes: "1:9: `\u00a0` (U+00A0) has no meaning here\n  1 | delete(a\u00a0== 1);\n    |         ^\n  hint: replace it with a space"},
		"NUL":                        {source: "delete(*);\x00", mistakes: "1:11: byte 10 is zero: the program is not text\n  1 | delete(*);\\x00\n    |           ^^^^"},
		"not UTF-8":                  {source: "delete(a == \"\xff\"", mistakes: "1:14: byte 13 (0xff) is not UTF-8: the program is not text\n  1 | delete(a == \"\\xff\"\n    |              ^^^^\n  hint: save the file as UTF-8"},
		"replacement character":      {source: "delete(a == \"\ufffd\");", tree: "delete (== a \"\ufffd\")\n"},
		"other scripts in strings":   {source: "delete(a == \"日本\"); # 日本", tree: "delete (== a \"日本\")\n"},
		"line break in a string":     {source: "delete(a == \"b\nc\");", tree: "delete (== a \"b\\nc\")\n"},
		"nothing":                    {source: ""},
		"white space":                {source: " \t\r\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, found, more := Parse(tt.source, DefaultLimits())
			if diff := cmp.Diff(tt.mistakes, Render("", tt.source, found, more)); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.tree, dump(p)); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParse_Limits(t *testing.T) {
	const many = 1_000_000
	tests := map[string]struct {
		source string
		limits Limits
		want   string
	}{
		"bytes":               {"delete(*); delete(*);", Limits{20, 10, 10}, "1:1: the program is 21 bytes long, the maximum is 20"},
		"commands":            {"delete(*); delete(*); delete(*);", Limits{100, 2, 10}, "1:23: the program has more than 2 commands"},
		"parentheses":         {"delete((((a == 1))));", Limits{100, 2, 2}, "1:10: nested deeper than the maximum of 2 levels"},
		"negations":           {"delete(!(!(!(a == 1))));", Limits{100, 2, 2}, "1:13: nested deeper than the maximum of 2 levels"},
		"values":              {"modify(a = [{\"b\": [1]}]);", Limits{100, 2, 2}, "1:19: nested deeper than the maximum of 2 levels"},
		"as deep as may be":   {"delete(((a == 1)) && b == [[1]]);", Limits{100, 1, 2}, ""},
		"million parentheses": {"delete(" + strings.Repeat("(", many), DefaultLimits(), "1:72: nested deeper than the maximum of 64 levels"},
		"million negations":   {"delete(" + strings.Repeat("!(", many/2), DefaultLimits(), "1:137: nested deeper than the maximum of 64 levels"},
		"million brackets":    {"modify(a = " + strings.Repeat("[", many), DefaultLimits(), "1:76: nested deeper than the maximum of 64 levels"},
		"million exclamations": {
			"delete(" + strings.Repeat("!", many), DefaultLimits(), "1:8: `!` is only allowed before `exists(` and `(`",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, found, more := Parse(tt.source, tt.limits)
			got, _, _ := strings.Cut(Render("", tt.source, found, more), "\n")
			if got != tt.want || len(found) > 1 {
				t.Errorf("got %d mistakes, the first %s, want %s", len(found), got, tt.want)
			}
		})
	}
}

// TestParse_Length parses programs of the maximum length. Parsing would take minutes if its time
// were quadratic in the number of tokens.
func TestParse_Length(t *testing.T) {
	limits := DefaultLimits()
	times := func(s string) string { return strings.Repeat(s, (limits.Source-100)/len(s)) }
	tests := map[string]string{
		"terms":       "delete(a == 1" + times("&&a==1") + ");",
		"parts":       "remove(a" + times(".a") + ");",
		"indexes":     "remove(a" + times("[1]") + ");",
		"digits":      "modify(a = " + times("1") + ");",
		"decimals":    "modify(a = 1." + times("1") + ");",
		"elements":    "modify(a = [1" + times(",1") + "]);",
		"numbers":     "modify(a = [1" + times(".1") + "]);",
		"definitions": "delete(a == 1" + times("&&$a:=b|exists($a)") + ");",
		"undefined":   "delete(a == 1" + times("&&$a==$b") + ");",
		"semicolons":  times(";"),
		"quotes":      times("\""),
		"open":        "delete(" + times("("),
		"words":       times("a "),
		"units":       "shift(*, " + times("1h") + ");",
		"exponent":    "delete(a < \"1e999999999999\" && b < \"" + times("9") + "\");",
		"pattern":     "delete(a =~ \"" + times("a{9}") + "\");",
	}
	for name, source := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			p, found, more := Parse(source, limits)
			parsing := time.Since(start)
			if len(found) == 0 {
				Format(p)
			}
			if rendered := Render("", source, found, more); len(rendered) > 10_000 {
				t.Errorf("%d bytes of mistakes", len(rendered))
			}
			t.Logf(name+" parsed in %v, all in %v, %d mistakes", parsing, time.Since(start), len(found)+more)
		})
	}
}

func TestParse_MistakesAreCapped(t *testing.T) {
	_, found, more := Parse(strings.Repeat("delete(a = 1);\n", 500), DefaultLimits())
	if len(found) != MaxDiagnostics || more != 500-MaxDiagnostics {
		t.Errorf("got %d and %d more, want %d and %d", len(found), more, MaxDiagnostics, 500-MaxDiagnostics)
	}
	for i, d := range found {
		if d.Start != i*15+9 {
			t.Errorf("mistake %d is at %d, want %d", i, d.Start, i*15+9)
		}
	}
}

func TestParseSelector(t *testing.T) {
	tests := map[string]struct{ source, tree, mistake string }{
		"star":          {source: " * # all", tree: "nil"},
		"nothing":       {source: "\n", tree: "nil"},
		"test":          {source: "a == 1 # b\n", tree: "(== a int:1)"},
		"definition":    {source: "$x := a[*] | exists($x.b) && $x.c == 1", tree: "(and (define $x a[*] (exists $x.b)) (== $x.c int:1))"},
		"undefined":     {source: "$x.c == 1", tree: "(== $x.c int:1)", mistake: "1:1: the variable $x is not defined"},
		"more":          {source: "a == 1, b", tree: "nil", mistake: "1:7: expected `&&`, `||` or the end of the selector, found `,`"},
		"half":          {source: "a ==", tree: "nil", mistake: "1:5: expected a value or a path, but the program ends"},
		"star and more": {source: "* && a == 1", tree: "nil", mistake: "1:1: `*` selects all objects and must be alone"},
		"parentheses":   {source: "(a == 1))", tree: "nil", mistake: "1:9: expected `&&`, `||` or the end of the selector, found `)`"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, found, more := ParseSelector(tt.source, DefaultLimits())
			tree := "nil"
			if e != nil {
				tree = dumpExpr(e)
			}
			if tree != tt.tree {
				t.Errorf("got %s, want %s", tree, tt.tree)
			}
			if got, _, _ := strings.Cut(Render("", tt.source, found, more), "\n"); got != tt.mistake {
				t.Errorf("got mistake %s, want %s", got, tt.mistake)
			}
		})
	}
}
