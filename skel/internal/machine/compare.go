package machine

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"simkube.io/simkube/skel/internal/document"
	"simkube.io/simkube/skel/internal/syntax"
)

// value is a literal.
type value struct {
	doc *document.Document
	raw []byte
}

func (s *scope) literal(l *syntax.Literal) value {
	raw := appendLiteral(nil, l, false)
	return value{document.New(raw), raw}
}

// isText reports whether the value is the string text.
func (v value) isText(text string) bool {
	root := v.doc.Root()
	return v.doc.IsText(root) && string(v.doc.Text(root)) == text
}

// operand is a literal, or the path to a value.
type operand struct {
	value value
	path  *path
}

func (s *scope) operand(o syntax.Operand) operand {
	if l, ok := o.(*syntax.Literal); ok {
		return operand{value: s.literal(l)}
	}
	return operand{path: s.path(o.(*syntax.Path))}
}

// compare is a comparison of the values at a path with a literal, or with the set of values at
// another path.
type compare struct {
	left  *path
	op    syntax.Op
	right operand
	// quantity is the right side of an ordered comparison with a literal.
	quantity *resource.Quantity
	span     syntax.Span
}

func (c *compare) requiredKeys(keys [][]byte) [][]byte { return c.left.requiredKeys(keys) }

func (c *compare) holds(m *Machine) (bool, error) {
	if c.right.path == nil && c.op <= syntax.NotEqual {
		if text, ok := m.identity(c.left); ok {
			return c.right.value.isText(text) == (c.op == syntax.Equal), nil
		}
	}
	left, right := m.getNodes(), m.getNodes()
	defer func() {
		m.putNodes(left)
		m.putNodes(right)
	}()
	if left = m.places(left, c.left); len(left) == 0 {
		return false, m.checkSteps()
	}
	if c.right.path != nil {
		right = m.places(right, c.right.path)
	}
	for _, n := range left {
		if ok, err := c.holdsAt(m, n, right); ok || err != nil {
			return ok, err
		}
		// The number of comparisons is the product of both sides.
		if err := m.checkSteps(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// holdsAt reports whether the comparison holds for one place of the left side.
func (c *compare) holdsAt(m *Machine, n document.Node, set []document.Node) (bool, error) {
	if c.right.path == nil {
		if c.op <= syntax.NotEqual {
			doc := c.right.value.doc
			return document.Equal(m.doc, n, doc, doc.Root()) == (c.op == syntax.Equal), nil
		}
		return c.ordered(m, n, c.right.value.doc, c.right.value.doc.Root())
	}
	for _, r := range set {
		m.steps++
		if c.op <= syntax.NotEqual {
			if document.Equal(m.doc, n, m.doc, r) {
				return c.op == syntax.Equal, nil
			}
			continue
		}
		if ok, err := c.ordered(m, n, m.doc, r); ok || err != nil {
			return ok, err
		}
	}
	return c.op == syntax.NotEqual, nil
}

// ordered compares two values by an ordering operator. It returns an error if they cannot be
// ordered.
func (c *compare) ordered(m *Machine, n document.Node, other *document.Document, r document.Node) (bool, error) {
	if document.IsNumber(m.doc.Kind(n)) && document.IsNumber(other.Kind(r)) {
		return ordered(c.op, document.CompareNumbers(m.doc, n, other, r)), nil
	}
	if m.doc.IsText(n) && other.IsText(r) {
		a, ok := parseQuantity(string(m.doc.Text(n)))
		b := c.quantity
		if b == nil && ok {
			b, ok = parseQuantity(string(other.Text(r)))
		}
		if ok {
			return ordered(c.op, a.Cmp(*b)), nil
		}
	}
	return false, &Error{Span: c.span, Message: fmt.Sprintf("%s cannot be compared by %s: %s and %s are neither two numbers nor two quantities",
		m.doc.Path(n), c.op, show(m.doc, n), show(other, r))}
}

// maxShown is the maximum length of a value in a message.
const maxShown = 40

// show returns a value for a message.
func show(d *document.Document, n document.Node) string {
	switch k := d.Kind(n); {
	case d.IsText(n):
		text := string(d.Text(n))
		if len([]rune(text)) > maxShown {
			text = string([]rune(text)[:maxShown]) + "…"
		}
		return fmt.Sprintf("%q", text)
	case document.IsNumber(k):
		return d.Number(n)
	case k == document.Bool:
		return fmt.Sprint(d.Bool(n))
	case k == document.Array:
		return "an array"
	case k == document.Map:
		return "a map"
	}
	return "null"
}
