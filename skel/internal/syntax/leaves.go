package syntax

import "strings"

// leaf is a path or a value, and its canonical text.
type leaf struct {
	Span
	text string
}

// leafList collects leaves in source order.
type leafList struct {
	source string
	leaves []leaf
}

// leavesOf returns the paths and values of a program.
func leavesOf(p *Program) []leaf {
	l := &leafList{source: p.Source}
	for _, c := range p.Commands {
		l.time(c.Time)
		if c.Selector != nil {
			l.expr(c.Selector)
		}
		l.path(c.Target)
		l.operand(c.Value)
		l.literal(c.Object)
		l.literal(c.Factor)
		l.time(c.Duration)
		l.literal(c.Copies)
	}
	return l.leaves
}

func (l *leafList) add(s Span) {
	l.leaves = append(l.leaves, leaf{s, l.source[s.Start:s.End]})
}

func (l *leafList) path(p *Path) {
	if p != nil {
		l.add(p.Span)
	}
}

func (l *leafList) time(t *Time) {
	if t != nil {
		l.add(t.Span)
	}
}

func (l *leafList) operand(o Operand) {
	switch o := o.(type) {
	case *Path:
		l.path(o)
	case *Literal:
		l.literal(o)
	}
}

func (l *leafList) literal(v *Literal) {
	if v == nil {
		return
	}
	switch v.Kind {
	case ArrayLiteral, MapLiteral:
		for i, e := range v.Elements {
			if v.Kind == MapLiteral {
				l.add(v.Keys[i].Span)
			}
			l.literal(e)
		}
	case NullLiteral, BoolLiteral:
		l.leaves = append(l.leaves, leaf{v.Span, strings.ToLower(l.source[v.Start:v.End])})
	default:
		l.add(v.Span)
	}
}

func (l *leafList) expr(e Expr) {
	switch e := e.(type) {
	case *And:
		for _, term := range e.Terms {
			l.expr(term)
		}
	case *Or:
		for _, term := range e.Terms {
			l.expr(term)
		}
	case *Not:
		l.expr(e.Term)
	case *Exists:
		l.path(e.Path)
	case *Compare:
		l.path(e.Left)
		l.operand(e.Right)
	case *In:
		l.path(e.Left)
		l.literal(e.Values)
	case *Match:
		l.path(e.Left)
		l.literal(e.Pattern)
	case *TimeTest:
		l.time(e.Time)
	case *KindTest:
		l.literal(e.Values)
		l.literal(e.Pattern)
	case *Define:
		l.add(e.Var.Span)
		l.path(e.Path)
		l.expr(e.Test)
	}
}
