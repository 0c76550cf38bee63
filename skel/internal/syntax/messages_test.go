package syntax

import (
	"go/ast"
	goparser "go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestMessages checks that every text of messages.go occurs in the expected results of the tests.
func TestMessages(t *testing.T) {
	var expected string
	for _, file := range []string{filepath.Join("testdata", "mistakes.txt"), "parse_test.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		expected += string(text)
	}
	for _, text := range messageTexts(t) {
		re := regexp.MustCompile(regexp.MustCompile(`%(\\\[1\\\])?[0-9]*[a-zA-Z]`).ReplaceAllString(regexp.QuoteMeta(text), ".*"))
		if !re.MatchString(expected) {
			t.Errorf("no test expects %q", text)
		}
	}
}

// messageTexts returns the messages and hints in messages.go.
func messageTexts(t *testing.T) []string {
	t.Helper()
	file, err := goparser.ParseFile(gotoken.NewFileSet(), "messages.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, is := n.(*ast.CallExpr)
		if !is {
			return true
		}
		if name, is := call.Fun.(*ast.Ident); !is || name.Name != "diagnose" {
			return true
		}
		before := len(texts)
		for _, argument := range call.Args[2:4] {
			if literal, is := argument.(*ast.BasicLit); is {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, text)
			}
		}
		if len(texts) == before {
			t.Errorf("a message has no text of its own")
		}
		return true
	})
	if len(texts) < 50 {
		t.Errorf("found only %d texts: are they where this test looks for them?", len(texts))
	}
	return texts
}
