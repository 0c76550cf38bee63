package syntax

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRender(t *testing.T) {
	const source = "one two\n\tthree\n\nfour\r\n"
	tests := map[string]struct {
		name  string
		found []Diagnostic
		more  int
		want  string
	}{
		"nothing":           {name: "a.skel"},
		"without a name":    {found: []Diagnostic{{Span: Span{4, 7}, Message: "message"}}, want: "1:5: message\n  1 | one two\n    |     ^^^"},
		"with a name":       {name: "a b.skel", found: []Diagnostic{{Span: Span{4, 7}, Message: "message", Hint: "do this"}}, want: "a b.skel:1:5: message\n  1 | one two\n    |     ^^^\n  hint: do this"},
		"nothing long":      {found: []Diagnostic{{Span: Span{7, 7}, Message: "message"}}, want: "1:8: message\n  1 | one two\n    |        ^"},
		"line break":        {found: []Diagnostic{{Span: Span{7, 8}, Message: "message"}}, want: "1:8: message\n  1 | one two\n    |        ^"},
		"after a tab":       {found: []Diagnostic{{Span: Span{9, 14}, Message: "message"}}, want: "2:2: message\n  2 |     three\n    |     ^^^^^"},
		"a tab":             {found: []Diagnostic{{Span: Span{8, 10}, Message: "message"}}, want: "2:1: message\n  2 |     three\n    | ^^^^^"},
		"empty line":        {found: []Diagnostic{{Span: Span{15, 15}, Message: "message"}}, want: "3:1: message\n  3 | \n    | ^"},
		"end":               {found: []Diagnostic{{Span: Span{22, 22}, Message: "message"}}, want: "5:1: message\n  5 | \n    | ^"},
		"two lines":         {found: []Diagnostic{{Span: Span{4, 14}, Message: "message"}}, want: "1:5: message\n  1 | one two\n    |     ^^^\n  2 |     three\n    |     ^^^^^"},
		"four lines":        {found: []Diagnostic{{Span: Span{0, 20}, Message: "message"}}, want: "1:1: message\n  1 | one two\n    | ^^^^^^^\n    ...\n  4 | four\n    | ^^^^"},
		"not in order":      {found: []Diagnostic{{Span: Span{16, 20}, Message: "second"}, {Span: Span{0, 3}, Message: "first"}}, want: "4:1: second\n  4 | four\n    | ^^^^\n\n1:1: first\n  1 | one two\n    | ^^^"},
		"one more":          {found: []Diagnostic{{Span: Span{0, 3}, Message: "message"}}, more: 1, want: "1:1: message\n  1 | one two\n    | ^^^\n\nand one more mistake"},
		"several more":      {found: []Diagnostic{{Span: Span{0, 3}, Message: "message"}}, more: 7, want: "1:1: message\n  1 | one two\n    | ^^^\n\nand 7 more mistakes"},
		"out of the source": {found: []Diagnostic{{Span: Span{30, 40}, Message: "message"}}, want: "5:1: message\n  5 | \n    | ^"},
		"the wrong way":     {found: []Diagnostic{{Span: Span{6, 4}, Message: "message"}}, want: "1:7: message\n  1 | one two\n    |       ^"},
		"before the source": {found: []Diagnostic{{Span: Span{-1, 3}, Message: "message"}}, want: "1:1: message\n  1 | one two\n    | ^^^"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Render(tt.name, source, tt.found, tt.more)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
