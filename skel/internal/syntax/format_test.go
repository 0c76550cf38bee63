package syntax

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormat(t *testing.T) {
	testGolden(t, "format.txt", func(t *testing.T, input string) string {
		p := parsed(t, input)
		formatted := Format(p)
		checkFormatted(t, p, formatted)
		return formatted
	})
}

// TestFormat_Everywhere formats programs with comments in every possible place, on their own lines
// and at the ends of lines.
func TestFormat_Everywhere(t *testing.T) {
	sources := []string{
		`remove($x := a[*] | exists($x.b) && (c in ["d", {"e": 1}] || !(@t > 10m)), $x); modify(f = g);`,
		`delete($variable := spec.template.spec.containers[*] | ($variable.name == "aaaaaaaaaaaaaaaaaaaaaaaa" || $variable.image =~ "bbbbbbb") && !exists(c)); insert(10m, {"apiVersion": "v1", "kind": "ccccccccccccccccccccccccccccccccccccccccccccccc", "metadata": {"name": "d"}, "e": []});`,
	}
	for _, source := range sources {
		tokens, _ := lex(source)
		for i := 1; i < len(tokens); i++ {
			if tokens[i].Start == tokens[i-1].End && !breakable(tokens[i-1].kind, tokens[i].kind) {
				continue
			}
			at := tokens[i].Start
			for _, comment := range []string{" # one\n", "\n# one\n", "\n\n# one\n\n# two\n\n", " # one\n# two\n"} {
				p := parsed(t, source[:at]+comment+source[at:])
				checkFormatted(t, p, Format(p))
			}
		}
	}
}

// breakable reports whether white space is allowed between two adjacent tokens.
func breakable(a, b tokenKind) bool {
	inPath := func(kind tokenKind) bool {
		return kind == tokenWord || kind == tokenDot || kind == tokenOpenIndex || kind == tokenCloseIndex || kind == tokenStar || kind == tokenVariable
	}
	return !inPath(a) || !inPath(b)
}

// checkFormatted checks that a formatted program is the same program with the same comments, and
// that formatting it again does not change it.
func checkFormatted(t *testing.T, p *Program, formatted string) {
	t.Helper()
	again := parsed(t, formatted)
	if diff := cmp.Diff(dump(p), dump(again)); diff != "" {
		t.Errorf("formatting changes the program (-before +after):\n%s\nof\n%s\nto\n%s", diff, p.Source, formatted)
	}
	if diff := cmp.Diff(comments(p), comments(again)); diff != "" {
		t.Errorf("formatting changes the comments (-before +after):\n%s\nof\n%s\nto\n%s", diff, p.Source, formatted)
	}
	if diff := cmp.Diff(formatted, Format(again)); diff != "" {
		t.Errorf("formatting again changes the layout (-once +twice):\n%s\nof\n%s", diff, p.Source)
	}
	for line := range strings.SplitSeq(formatted, "\n") {
		if strings.TrimRight(line, " ") != line && !strings.Contains(line, "\"") {
			t.Errorf("the line %q ends with white space", line)
		}
	}
	if strings.HasPrefix(formatted, "\n") || strings.HasSuffix(formatted, "\n\n") {
		t.Errorf("empty lines at the beginning or the end of\n%s", formatted)
	}
}

func comments(p *Program) []string {
	var texts []string
	for _, c := range p.Comments {
		texts = append(texts, p.Source[c.Start:c.End])
	}
	return texts
}
