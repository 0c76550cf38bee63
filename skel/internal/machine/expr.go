package machine

import (
	"fmt"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/skel/internal/document"
	"simkube.io/simkube/skel/internal/syntax"
	"simkube.io/simkube/trace"
)

// expr is a compiled selector or a part of one.
type expr interface {
	holds(m *Machine) (bool, error)
	// requiredKeys appends keys that occur in every manifest for which the expression holds.
	requiredKeys(keys [][]byte) [][]byte
}

func (s *scope) expr(e syntax.Expr) expr {
	switch e := e.(type) {
	case *syntax.And:
		return and(s.exprs(e.Terms))
	case *syntax.Or:
		return or(s.exprs(e.Terms))
	case *syntax.Not:
		return not{s.expr(e.Term)}
	case *syntax.Compare:
		c := &compare{left: s.path(e.Left), op: e.Op, right: s.operand(e.Right), span: e.Span}
		if l, ok := e.Right.(*syntax.Literal); ok && l.Kind == syntax.StringLiteral && e.Op > syntax.NotEqual {
			c.quantity, _ = parseQuantity(l.String)
		}
		return c
	case *syntax.Exists:
		return &exists{s.path(e.Path), e.Negated}
	case *syntax.In:
		in := &in{left: s.path(e.Left)}
		for _, v := range e.Values.Elements {
			in.values = append(in.values, s.literal(v))
		}
		return in
	case *syntax.Match:
		return &match{s.path(e.Left), e.Regexp}
	case *syntax.TimeTest:
		s.timed = true
		return &timeTest{e.Op, e.Time.Seconds, e.Time.Relative}
	case *syntax.KindTest:
		s.named = true
		return &kindTest{e.Kinds, e.Negated, e.Regexp}
	case *syntax.Define:
		return s.define(e)
	}
	panic(fmt.Sprintf("unknown expression %T", e)) // the parser creates no others
}

func (s *scope) exprs(terms []syntax.Expr) []expr {
	var out []expr
	for _, t := range terms {
		out = append(out, s.expr(t))
	}
	return out
}

func (s *scope) define(e *syntax.Define) expr {
	d := &define{path: s.path(e.Path), variable: len(s.names)}
	s.names = append(s.names, e.Var.Name)
	s.paths[e.Var.Name] = d.path.full
	d.test = s.expr(e.Test)
	return d
}

type and []expr

func (a and) holds(m *Machine) (bool, error) {
	for _, t := range a {
		if ok, err := t.holds(m); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (a and) requiredKeys(keys [][]byte) [][]byte {
	for _, t := range a {
		keys = t.requiredKeys(keys)
	}
	return keys
}

type or []expr

func (o or) holds(m *Machine) (bool, error) {
	for _, t := range o {
		if ok, err := t.holds(m); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (o or) requiredKeys(keys [][]byte) [][]byte { return keys }

type not struct{ term expr }

func (n not) holds(m *Machine) (bool, error) {
	ok, err := n.term.holds(m)
	return !ok && err == nil, err
}

func (n not) requiredKeys(keys [][]byte) [][]byte { return keys }

type exists struct {
	path    *path
	negated bool
}

func (e *exists) holds(m *Machine) (bool, error) {
	found := m.getNodes()
	found = m.places(found, e.path)
	ok := len(found) > 0
	m.putNodes(found)
	return ok != e.negated, m.checkSteps()
}

func (e *exists) requiredKeys(keys [][]byte) [][]byte {
	if e.negated {
		return keys
	}
	return e.path.requiredKeys(keys)
}

type in struct {
	left   *path
	values []value
}

func (i *in) holds(m *Machine) (bool, error) {
	if text, ok := m.identity(i.left); ok {
		return slices.ContainsFunc(i.values, func(v value) bool { return v.isText(text) }), nil
	}
	return m.any(i.left, func(n document.Node) (bool, error) {
		m.steps += len(i.values)
		return slices.ContainsFunc(i.values, func(v value) bool { return document.Equal(m.doc, n, v.doc, v.doc.Root()) }), nil
	})
}

func (i *in) requiredKeys(keys [][]byte) [][]byte { return i.left.requiredKeys(keys) }

type match struct {
	left   *path
	regexp *regexp.Regexp
}

func (x *match) holds(m *Machine) (bool, error) {
	if text, ok := m.identity(x.left); ok {
		return x.regexp.MatchString(text), nil
	}
	return m.any(x.left, func(n document.Node) (bool, error) {
		return m.doc.IsText(n) && x.regexp.Match(m.doc.Text(n)), nil
	})
}

func (x *match) requiredKeys(keys [][]byte) [][]byte { return x.left.requiredKeys(keys) }

// any reports whether one of a path's places satisfies a test.
func (m *Machine) any(p *path, test func(document.Node) (bool, error)) (bool, error) {
	found := m.getNodes()
	defer func() { m.putNodes(found) }()
	found = m.places(found, p)
	for _, n := range found {
		if ok, err := test(n); ok || err != nil {
			return ok, err
		}
		if err := m.checkSteps(); err != nil {
			return false, err
		}
	}
	return false, m.checkSteps()
}

type timeTest struct {
	op       syntax.Op
	seconds  int64
	relative bool
}

func (t *timeTest) holds(m *Machine) (bool, error) {
	at := t.seconds
	if t.relative {
		at += m.start
	}
	return ordered(t.op, compareInts(m.time, at)), nil
}

func (t *timeTest) requiredKeys(keys [][]byte) [][]byte { return keys }

func compareInts(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// ordered reports whether a comparison holds, given the order of its operands.
func ordered(op syntax.Op, order int) bool {
	switch op {
	case syntax.Equal:
		return order == 0
	case syntax.NotEqual:
		return order != 0
	case syntax.Less:
		return order < 0
	case syntax.LessOrEqual:
		return order <= 0
	case syntax.Greater:
		return order > 0
	}
	return order >= 0
}

type kindTest struct {
	kinds   []schema.GroupVersionKind
	negated bool
	regexp  *regexp.Regexp
}

func (k *kindTest) holds(m *Machine) (bool, error) {
	gvk := m.gvk()
	if k.regexp != nil {
		return k.regexp.MatchString(trace.FormatGVK(gvk)), nil
	}
	return slices.Contains(k.kinds, gvk) != k.negated, nil
}

func (k *kindTest) requiredKeys(keys [][]byte) [][]byte { return keys }

// define finds the places that a variable stands for.
type define struct {
	path     *path
	variable int
	test     expr
}

func (d *define) holds(m *Machine) (bool, error) {
	found := m.getNodes()
	defer func() { m.putNodes(found) }()
	found = m.places(found, d.path)
	kept := m.variables[d.variable][:0]
	// The variable must not keep a reference to the memory.
	defer func() { m.variables[d.variable] = kept }()
	// The test is evaluated for one place at a time.
	for _, n := range found {
		m.variables[d.variable] = append(m.one[:0], n)
		ok, err := d.test.holds(m)
		if err != nil {
			return false, err
		}
		if ok {
			kept = append(kept, n)
		}
		if err := m.checkSteps(); err != nil {
			return false, err
		}
	}
	return len(kept) > 0, m.checkSteps()
}

func (d *define) requiredKeys(keys [][]byte) [][]byte {
	return d.test.requiredKeys(d.path.requiredKeys(keys))
}

func parseQuantity(text string) (*resource.Quantity, bool) {
	q, err := syntax.ParseQuantity(text)
	return &q, err == nil
}
