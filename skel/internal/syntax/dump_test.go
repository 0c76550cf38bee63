package syntax

import (
	"fmt"
	"strconv"
	"strings"
)

// dump returns a program's tree without spans: (and (== spec.a 1) (exists a.b)).
func dump(p *Program) string {
	var b strings.Builder
	for _, c := range p.Commands {
		b.WriteString(dumpCommand(c) + "\n")
	}
	return b.String()
}

func dumpCommand(c *Command) string {
	parts := []string{c.Kind.String()}
	if c.Star {
		parts = append(parts, "*")
	}
	if c.Selector != nil {
		parts = append(parts, dumpExpr(c.Selector))
	}
	if c.Target != nil {
		parts = append(parts, dumpPath(c.Target))
	}
	if c.Value != nil {
		parts = append(parts, "= "+dumpOperand(c.Value))
	}
	for _, t := range []*Time{c.Time, c.Duration} {
		if t != nil {
			parts = append(parts, dumpTime(t))
		}
	}
	for _, l := range []*Literal{c.Object, c.Factor, c.Copies} {
		if l != nil {
			parts = append(parts, dumpLiteral(l))
		}
	}
	return strings.Join(parts, " ")
}

func dumpTime(t *Time) string {
	if t.Relative {
		return fmt.Sprintf("%+ds", t.Seconds)
	}
	return fmt.Sprintf("@%d", t.Seconds)
}

func dumpPath(p *Path) string {
	var b strings.Builder
	if p.Var != nil {
		b.WriteString("$" + p.Var.Name)
	}
	for i, s := range p.Segments {
		if s.Kind == Field && (i > 0 || p.Var != nil) {
			b.WriteString(".")
		}
		switch {
		case s.Kind == Wildcard:
			b.WriteString("[*]")
		case s.Kind == Index:
			fmt.Fprintf(&b, "[%d]", s.Index)
		case s.Quoted:
			b.WriteString(strconv.Quote(s.Name))
		default:
			b.WriteString(s.Name)
		}
	}
	return b.String()
}

func dumpOperand(o Operand) string {
	if p, is := o.(*Path); is {
		return dumpPath(p)
	}
	return dumpLiteral(o.(*Literal))
}

func dumpLiteral(l *Literal) string {
	switch l.Kind {
	case NullLiteral:
		return "null"
	case BoolLiteral:
		return strconv.FormatBool(l.Bool)
	case IntLiteral:
		return fmt.Sprintf("int:%d", l.Int)
	case FloatLiteral:
		return fmt.Sprintf("float:%g", l.Float)
	case StringLiteral:
		return strconv.Quote(l.String)
	}
	var parts []string
	for i, e := range l.Elements {
		part := dumpLiteral(e)
		if l.Kind == MapLiteral {
			part = strconv.Quote(l.Keys[i].Name) + ": " + part
		}
		parts = append(parts, part)
	}
	if l.Kind == MapLiteral {
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func dumpExpr(e Expr) string {
	switch e := e.(type) {
	case *And:
		return dumpTerms("and", e.Terms)
	case *Or:
		return dumpTerms("or", e.Terms)
	case *Not:
		return "(not " + dumpExpr(e.Term) + ")"
	case *Exists:
		if e.Negated {
			return "(!exists " + dumpPath(e.Path) + ")"
		}
		return "(exists " + dumpPath(e.Path) + ")"
	case *Compare:
		return fmt.Sprintf("(%s %s %s)", e.Op, dumpPath(e.Left), dumpOperand(e.Right))
	case *In:
		return fmt.Sprintf("(in %s %s)", dumpPath(e.Left), dumpLiteral(e.Values))
	case *Match:
		return fmt.Sprintf("(=~ %s %s)", dumpPath(e.Left), dumpLiteral(e.Pattern))
	case *TimeTest:
		return fmt.Sprintf("(@t %s %s)", e.Op, dumpTime(e.Time))
	case *KindTest:
		if e.Pattern != nil {
			return fmt.Sprintf("(@gvk =~ %s)", dumpLiteral(e.Pattern))
		}
		op := "is"
		if e.Negated {
			op = "is not"
		}
		var kinds []string
		for _, k := range e.Kinds {
			kinds = append(kinds, fmt.Sprintf("%s|%s|%s", k.Group, k.Version, k.Kind))
		}
		return fmt.Sprintf("(@gvk %s %s)", op, strings.Join(kinds, " "))
	case *Define:
		test := dumpExpr(e.Test)
		if e.Parenthesised {
			test = "parenthesised " + test
		}
		return fmt.Sprintf("(define $%s %s %s)", e.Var.Name, dumpPath(e.Path), test)
	}
	return fmt.Sprintf("(unknown %T)", e)
}

func dumpTerms(name string, terms []Expr) string {
	parts := []string{name}
	for _, t := range terms {
		parts = append(parts, dumpExpr(t))
	}
	return "(" + strings.Join(parts, " ") + ")"
}
