package syntax

import "strings"

// CodeEscape is the code of warnings about escapes in strings.
const CodeEscape Code = "escape"

// Warnings returns what is valid, but means something else to other programs that read the
// language: escapes in strings of tests and values. They are in the order of the source.
func Warnings(p *Program) []Diagnostic {
	w := &warnings{source: p.Source}
	for _, c := range p.Commands {
		if c.Selector != nil {
			w.expr(c.Selector)
		}
		w.operand(c.Value)
	}
	return w.found
}

type warnings struct {
	source string
	found  []Diagnostic
}

func (w *warnings) operand(o Operand) {
	literal, ok := o.(*Literal)
	if !ok || literal.Kind != StringLiteral {
		return
	}
	text := w.source[literal.Start:literal.End]
	for i := strings.IndexByte(text, '\\'); i >= 0 && i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		at := Span{literal.Start + i, literal.Start + i + 2}
		switch text[i+1] {
		case 'n':
			w.found = append(w.found, diagnose(at, CodeEscape, "", `\n is a line break here, but a backslash and an n for programs without escapes in strings`))
			return
		case '\\':
			w.found = append(w.found, diagnose(at, CodeEscape, "", `\\ is one backslash here, but two for programs without escapes in strings`))
			return
		}
	}
}

// expr visits the tests of the language's first version. A program with other tests is an error for
// programs that only know that version.
func (w *warnings) expr(e Expr) {
	switch e := e.(type) {
	case *And:
		for _, term := range e.Terms {
			w.expr(term)
		}
	case *Or:
		for _, term := range e.Terms {
			w.expr(term)
		}
	case *Not:
		w.expr(e.Term)
	case *Compare:
		w.operand(e.Right)
	case *Define:
		w.expr(e.Test)
	}
}
