package syntax

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// conformancePrograms returns the programs of the conformance scripts.
func conformancePrograms(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "conformance", "*.skelt"))
	if err != nil {
		t.Fatal(err)
	}
	var programs []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, scriptPrograms(string(text))...)
	}
	return programs
}

// scriptPrograms returns the programs of a conformance script, and a program for every selector in
// its tables.
func scriptPrograms(script string) []string {
	var programs []string
	section := ""
	for line := range strings.SplitSeq(script, "\n") {
		text, indented := strings.CutPrefix(line, "  ")
		if !indented {
			section, text, _ = strings.Cut(line, ":")
			text = strings.TrimSpace(text)
			if section == "program" {
				programs = append(programs, "")
			}
		}
		switch section {
		case "program":
			programs[len(programs)-1] += text + "\n"
		case "quoted":
			if source, err := strconv.Unquote(text); err == nil {
				programs = append(programs, source)
			}
		case "holds", "fails":
			if text != "" {
				programs = append(programs, "delete("+text+");")
			}
		}
	}
	return programs
}

func TestScriptPrograms(t *testing.T) {
	got := scriptPrograms("# a\n--- b\nprogram: delete(*);\ninput:\n  @1\n--- c\nprogram:\n  delete(a\n    == 1);\nquoted: \"\\x00\"\nholds:\n  b == 2\n")
	want := []string{"delete(*);\n", "\ndelete(a\n  == 1);\n", "\x00", "delete(b == 2);"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := len(conformancePrograms(t)); n < 200 {
		t.Errorf("found %d programs in the conformance scripts: are they where this test looks for them?", n)
	}
}

// seeds returns the programs of all tables.
func seeds(f *testing.F) []string {
	f.Helper()
	sources := conformancePrograms(f)
	for _, file := range []string{"trees.txt", "mistakes.txt", "format.txt"} {
		for _, c := range readGolden(f, file) {
			sources = append(sources, c.input)
		}
	}
	return append(sources, "\ufeffdelete(*);", "delete(*);\r\n\x00", "\xff", "delete(\"", "modify(a = \"\\")
}

// fuzzLimits returns low limits, so that they are exceeded in tests.
func fuzzLimits() Limits { return Limits{Source: 4096, Commands: 30, Depth: 10} }

func FuzzParse(f *testing.F) {
	for _, source := range seeds(f) {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p, found, more := Parse(source, fuzzLimits())
		checkDiagnostics(t, source, found, more)
		checkSpans(t, p)
		if len(found) == 0 {
			// The formatted program may exceed the limit of the source length, but has the same meaning.
			checkFormatted(t, p, Format(p))
		}
		_, found, more = ParseSelector(source, fuzzLimits())
		checkDiagnostics(t, source, found, more)
	})
}

func FuzzRender(f *testing.F) {
	for i, source := range seeds(f) {
		f.Add(source, i%(len(source)+1), i%7)
	}
	f.Fuzz(func(t *testing.T, source string, start, length int) {
		rendered := Render("a.skel", source, []Diagnostic{{Span: Span{start, start + length}, Message: "message", Hint: "hint"}}, 0)
		lines := strings.Split(rendered, "\n")
		if len(lines) < 4 || !strings.HasPrefix(lines[0], "a.skel:") || lines[len(lines)-1] != "  hint: hint" {
			t.Fatalf("of the span %d to %d of %q comes\n%s", start, start+length, source, rendered)
		}
		for i, line := range lines[1 : len(lines)-1] {
			if columns(line) > shownWidth+20 {
				t.Errorf("line %d is %d columns wide:\n%s", i, columns(line), rendered)
			}
			if strings.ContainsAny(line, "\x00\x07\x1b\r\t\u202e") || !utf8.ValidString(line) {
				t.Errorf("line %d has what a terminal obeys: %q", i, line)
			}
		}
		if !strings.Contains(rendered, "^") {
			t.Errorf("no caret in\n%s", rendered)
		}
	})
}

// checkDiagnostics checks that diagnostics are within the source, sorted, not too many, and can be
// rendered.
func checkDiagnostics(t *testing.T, source string, found []Diagnostic, more int) {
	t.Helper()
	if len(found) > MaxDiagnostics || more > 0 && len(found) < MaxDiagnostics {
		t.Errorf("%d mistakes and %d more", len(found), more)
	}
	last := 0
	for _, d := range found {
		if d.Start < last || d.End < d.Start || d.End > len(source) {
			t.Errorf("the mistake %q is at %v, after one at %d, in %d bytes", d.Message, d.Span, last, len(source))
		}
		if d.Message == "" || d.Code == "" || strings.Contains(d.Message+d.Hint, "\n") {
			t.Errorf("the mistake at %v has code %q, message %q and hint %q", d.Span, d.Code, d.Message, d.Hint)
		}
		last = d.Start
	}
	Render("a.skel", source, found, more)
}

// checkSpans checks that all spans of the tree are within the source, in order, and within their
// parents.
func checkSpans(t *testing.T, p *Program) {
	t.Helper()
	last := 0
	for _, c := range p.Commands {
		if c.Start < last || c.End > len(p.Source) || p.Source[c.End-1] != ';' || !strings.HasPrefix(p.Source[c.Start:], c.Kind.String()) {
			t.Fatalf("%s has %v, after %d", dumpCommand(c), c.Span, last)
		}
		last = c.End
		inner := c.Start
		for _, l := range leavesOf(&Program{Source: p.Source, Commands: []*Command{c}}) {
			if l.Start < inner || l.End <= l.Start || l.End > c.End {
				t.Fatalf("%s has a path or a value at %v, after %d, and ends at %d", dumpCommand(c), l.Span, inner, c.End)
			}
			inner = l.End
		}
		if c.Selector != nil {
			checkExprSpan(t, c.Selector, c.Span)
		}
		for _, path := range []*Path{c.Target} {
			checkPathSpan(t, path, c.Span)
		}
	}
	last = 0
	for _, s := range p.Comments {
		if s.Start < last || s.End <= s.Start || p.Source[s.Start] != '#' || strings.Contains(p.Source[s.Start:s.End], "\n") {
			t.Fatalf("a comment has %v, after %d", s, last)
		}
		last = s.End
	}
}

func checkInside(t *testing.T, what string, s, outer Span) {
	t.Helper()
	if s.Start < outer.Start || s.End > outer.End || s.End <= s.Start {
		t.Fatalf("%s has %v, inside of %v", what, s, outer)
	}
}

func checkPathSpan(t *testing.T, path *Path, outer Span) {
	t.Helper()
	if path == nil {
		return
	}
	checkInside(t, dumpPath(path), path.Span, outer)
	last := path.Start
	if path.Var != nil {
		checkInside(t, "$"+path.Var.Name, path.Var.Span, path.Span)
		last = path.Var.End
	}
	for _, s := range path.Segments {
		checkInside(t, "a part of "+dumpPath(path), s.Span, Span{last, path.End})
		last = s.End
	}
	if last != path.End {
		t.Fatalf("%s ends at %d, and its last part at %d", dumpPath(path), path.End, last)
	}
}

func checkExprSpan(t *testing.T, e Expr, outer Span) {
	t.Helper()
	own := e.Extent()
	checkInside(t, dumpExpr(e), own, outer)
	switch e := e.(type) {
	case *And:
		checkTermSpans(t, e.Terms, own)
	case *Or:
		checkTermSpans(t, e.Terms, own)
	case *Not:
		checkExprSpan(t, e.Term, own)
	case *Exists:
		checkPathSpan(t, e.Path, own)
	case *Compare:
		checkPathSpan(t, e.Left, own)
		checkInside(t, e.Op.String(), e.OpSpan, Span{e.Left.End, own.End})
		checkInside(t, "the right side", e.Right.Extent(), Span{e.OpSpan.End, own.End})
	case *In:
		checkPathSpan(t, e.Left, own)
		checkInside(t, "the values", e.Values.Span, Span{e.Left.End, own.End})
	case *Match:
		checkPathSpan(t, e.Left, own)
		checkInside(t, "the pattern", e.Pattern.Span, Span{e.Left.End, own.End})
	case *TimeTest:
		checkInside(t, "the time", e.Time.Span, own)
	case *Define:
		checkInside(t, e.Var.Name, e.Var.Span, own)
		checkPathSpan(t, e.Path, Span{e.Var.End, own.End})
		checkExprSpan(t, e.Test, Span{e.Path.End, own.End})
	}
}

func checkTermSpans(t *testing.T, terms []Expr, outer Span) {
	t.Helper()
	if len(terms) < 2 {
		t.Fatalf("%d terms", len(terms))
	}
	for _, term := range terms {
		checkExprSpan(t, term, outer)
		outer.Start = term.Extent().End
	}
}
