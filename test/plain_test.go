package test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// commentWidth is the maximum width of a line that ends in a comment. A tab counts as one.
const commentWidth = 100

// unplainWords are words that must not occur in an identifier, with the term to use. A word of two
// parts is a sequence of words of the identifier.
var unplainWords = map[string]string{
	"stumble":   "error count",
	"stumbles":  "error count",
	"disown":    "remove an owner reference",
	"disowns":   "remove an owner reference",
	"hunt":      "search",
	"hunts":     "search",
	"complaint": "start failure",
	"verdict":   "assessment or result",
	"judge":     "assess",
	"patiently": "retry",
	"may not":   "forbidden",
	"steering":  "options",
	"frugal":    "minimal",
	"sighting":  "occurrence",
	"sightings": "occurrence",
	"moment":    "position or time",
}

// unplainVerb matches a doc comment in which the first verb is "gives" or "tells".
var unplainVerb = regexp.MustCompile(`^\S+( and \S+)? (gives?|tells?)\b`)

// generatedFile matches the first line of a generated file.
var generatedFile = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// TestPlainEnglish checks the wording and the layout of the Go code of both modules; see
// CONTRIBUTING.md.
func TestPlainEnglish(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		if entry.IsDir() {
			if path != ".." && (strings.HasPrefix(entry.Name(), ".") || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if generatedFile.Match(source) {
			return nil
		}
		files++
		problems, err := unplain(name, source)
		if err != nil {
			return err
		}
		for _, problem := range problems {
			t.Error(problem)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("checked only %d files", files)
	}
}

// TestPlainEnglish_Problems checks that each kind of problem is found.
func TestPlainEnglish_Problems(t *testing.T) {
	source := `package p

// Size gives the size.
func Size() int { return 0 }

// point tells where it is.
type point struct {
	X int // X gives it
	// Y tells it.
	Y int
}

// Plain returns what the word "gives" stands for. A number gives no error here.
func Plain() error {
	mayNotRead := 1
	_ = mayNotRead // moment in a comment is not an identifier
	type lastSighting struct{ HUNT, mayNote int }
	return nil
}

// ` + strings.Repeat("long ", 20) + `

var address = "` + strings.Repeat("not a comment ", 10) + `"
`
	got, err := unplain("p.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`p.go:3: the doc comment of Size begins with "Size gives": use returns, reports whether, or is`,
		`p.go:6: the doc comment of point begins with "point tells": use returns, reports whether, or is`,
		`p.go:9: the doc comment of Y begins with "Y tells": use returns, reports whether, or is`,
		`p.go:15: the name mayNotRead contains "may not": use forbidden`,
		`p.go:17: the name HUNT contains "hunt": use search`,
		`p.go:17: the name lastSighting contains "sighting": use occurrence`,
		`p.go:21: the comment line has 103 columns, the maximum is 100`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// unplain returns the problems in a Go file, sorted by line.
func unplain(name string, source []byte) ([]string, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	c := plainCheck{set: set, name: name}
	c.comments(file, bytes.Split(source, []byte("\n")))
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			c.doc(n.Doc, n.Name)
			c.identifier(n.Name)
		case *ast.GenDecl:
			for _, spec := range n.Specs {
				c.spec(n, spec)
			}
		case *ast.Field:
			for _, id := range n.Names {
				c.identifier(id)
			}
			if len(n.Names) > 0 {
				c.doc(n.Doc, n.Names[0])
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				c.expressions(n.Lhs...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				c.expressions(n.Key, n.Value)
			}
		}
		return true
	})
	slices.SortFunc(c.problems, func(a, b plainProblem) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return strings.Compare(a.text, b.text)
	})
	var lines []string
	for _, p := range slices.Compact(c.problems) {
		lines = append(lines, fmt.Sprintf("%s:%d: %s", name, p.line, p.text))
	}
	return lines, nil
}

type plainProblem struct {
	line int
	text string
}

// plainCheck collects the problems in a file.
type plainCheck struct {
	set      *token.FileSet
	name     string
	problems []plainProblem
}

func (c *plainCheck) add(at token.Pos, format string, args ...any) {
	c.problems = append(c.problems, plainProblem{c.set.Position(at).Line, fmt.Sprintf(format, args...)})
}

// comments checks the width of lines. A line may be longer if it is a directive, or if the comment
// is one word, such as a URL.
func (c *plainCheck) comments(file *ast.File, lines [][]byte) {
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if strings.HasPrefix(comment.Text, "//go:") || strings.HasPrefix(comment.Text, "// +") ||
				strings.HasPrefix(comment.Text, "//nolint") || len(strings.Fields(comment.Text)) <= 2 {
				continue
			}
			first := c.set.Position(comment.Pos()).Line
			for i := range strings.Count(comment.Text, "\n") + 1 {
				if width := utf8.RuneCount(lines[first-1+i]); width > commentWidth {
					c.problems = append(c.problems, plainProblem{first + i, fmt.Sprintf("the comment line has %d columns, the maximum is %d", width, commentWidth)})
				}
			}
		}
	}
}

func (c *plainCheck) spec(decl *ast.GenDecl, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		c.identifier(spec.Name)
		c.doc(spec.Doc, spec.Name)
		if len(decl.Specs) == 1 {
			c.doc(decl.Doc, spec.Name)
		}
	case *ast.ValueSpec:
		for _, id := range spec.Names {
			c.identifier(id)
		}
		c.doc(spec.Doc, spec.Names[0])
		if len(decl.Specs) == 1 {
			c.doc(decl.Doc, spec.Names[0])
		}
	}
}

func (c *plainCheck) expressions(list ...ast.Expr) {
	for _, e := range list {
		if id, ok := e.(*ast.Ident); ok {
			c.identifier(id)
		}
	}
}

// doc checks the first verb of a doc comment.
func (c *plainCheck) doc(doc *ast.CommentGroup, of *ast.Ident) {
	if doc == nil {
		return
	}
	if verb := unplainVerb.FindString(strings.Join(strings.Fields(doc.Text()), " ")); verb != "" {
		c.add(doc.Pos(), "the doc comment of %s begins with %q: use returns, reports whether, or is", of.Name, verb)
	}
}

// identifier checks the words of an identifier.
func (c *plainCheck) identifier(id *ast.Ident) {
	words := " " + strings.Join(camelWords(id.Name), " ") + " "
	for word, term := range unplainWords {
		if strings.Contains(words, " "+word+" ") {
			c.add(id.Pos(), "the name %s contains %q: use %s", id.Name, word, term)
		}
	}
}

// camelWords returns the words of a camel-case identifier in lower case.
func camelWords(name string) []string {
	var words []string
	var word []rune
	runes := []rune(name)
	for i, r := range runes {
		start := unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if start || r == '_' {
			words = append(words, strings.ToLower(string(word)))
			word = word[:0]
		}
		if r != '_' {
			word = append(word, r)
		}
	}
	return append(words, strings.ToLower(string(word)))
}
