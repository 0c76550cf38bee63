package machine

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tinylib/msgp/msgp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/skel/internal/document"
	"simkube.io/simkube/skel/internal/syntax"
	"simkube.io/simkube/trace"
)

// effect applies a command to the manifest.
func (m *Machine) effect(i int, c *command) (err error) {
	fields := 0
	switch c.kind {
	case syntax.Remove:
		fields, err = m.remove(c)
	case syntax.Modify:
		fields, err = m.modify(c)
	case syntax.Scale:
		fields, err = m.scale(c)
	case syntax.Shift:
		m.shift += c.seconds
	case syntax.Duplicate:
		err = m.duplicate(i, c)
	}
	if err != nil {
		return err
	}
	m.counts[i].Fields += int64(fields)
	if m.loaded && m.doc.Size() > m.limits.Bytes {
		return &Error{Message: fmt.Sprintf("the object grows beyond %d bytes", m.limits.Bytes)}
	}
	if c.renames && fields > 0 {
		m.renamed = true
		return m.checkIdentity()
	}
	return nil
}

func (m *Machine) remove(c *command) (int, error) {
	if m.lacksAny(c.targetKeys) {
		return 0, nil
	}
	found := m.getNodes()
	defer func() { m.putNodes(found) }()
	found = m.places(found, c.target)
	if err := m.checkSteps(); err != nil {
		return 0, err
	}
	for _, n := range found {
		m.doc.Remove(n)
	}
	return len(found), nil
}

func (m *Machine) modify(c *command) (int, error) {
	raw, err := m.single(c)
	if err != nil {
		return 0, err
	}
	m.load()
	a := assignment{m: m, raw: raw}
	if c.target.variable < 0 {
		err = a.assign(m.doc.Root(), c.target.segments)
		return a.fields, err
	}
	for _, n := range slices.Clone(m.variables[c.target.variable]) {
		if err := a.assign(n, c.target.segments); err != nil {
			return 0, err
		}
	}
	return a.fields, nil
}

// single returns the value of a command's right side, which must be a single one.
func (m *Machine) single(c *command) ([]byte, error) {
	if c.value.path == nil {
		return c.value.value.raw, nil
	}
	found := m.getNodes()
	defer func() { m.putNodes(found) }()
	found = m.places(found, c.value.path)
	switch {
	case m.checkSteps() != nil:
		return nil, m.checkSteps()
	case len(found) == 0:
		return nil, &Error{Message: "the right side has no value in this object; exclude it with a selector such as exists(...)"}
	case len(found) > 1:
		return nil, &Error{Message: fmt.Sprintf("the right side has %d values in this object, but must have one: %s", len(found), m.list(found))}
	}
	m.value = m.doc.AppendValue(m.value[:0], found[0])
	return m.value, nil
}

// maxListed is the maximum number of values that a message lists.
const maxListed = 5

func (m *Machine) list(found []document.Node) string {
	var parts []string
	for i, n := range found {
		if i == maxListed {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, m.doc.Path(n)+" is "+show(m.doc, n))
	}
	return strings.Join(parts, ", ")
}

// assignment sets places to a value.
type assignment struct {
	m      *Machine
	raw    []byte
	fields int
}

// assign sets the places that segments lead to from a node. It creates missing maps on the way.
func (a *assignment) assign(n document.Node, segments []syntax.Segment) error {
	a.m.steps++
	if err := a.m.checkSteps(); err != nil {
		return err
	}
	if len(segments) == 0 {
		return a.set(n)
	}
	switch s := &segments[0]; s.Kind {
	case syntax.Field:
		return a.field(n, s, segments[1:])
	case syntax.Index:
		return a.element(n, s, segments[1:])
	}
	doc := a.m.doc
	if doc.Kind(n) != document.Array {
		return nil
	}
	for c := doc.First(n); c != document.None; c = doc.Next(c) {
		if err := a.assign(c, segments[1:]); err != nil {
			return err
		}
	}
	return nil
}

func (a *assignment) set(n document.Node) error {
	a.fields++
	doc := a.m.doc
	if !doc.Is(n, a.raw) {
		doc.Set(n, a.raw)
	}
	if doc.Size() > a.m.limits.Bytes {
		return &Error{Message: fmt.Sprintf("the object grows beyond %d bytes", a.m.limits.Bytes)}
	}
	return nil
}

func (a *assignment) field(n document.Node, s *syntax.Segment, rest []syntax.Segment) error {
	doc := a.m.doc
	switch k := doc.Kind(n); {
	case k == document.Map:
	case k == document.Null:
		if hasWildcard(rest) {
			return nil
		}
		doc.Set(n, msgp.AppendMapHeader(nil, 0))
	default:
		return &Error{Message: fmt.Sprintf("%s is %s, it has no field %s", doc.Path(n), show(doc, n), s.Name)}
	}
	c := doc.Field(n, s.Name)
	if c == document.None {
		// The array that a wildcard would match is not created: it would be empty.
		if hasWildcard(rest) {
			return nil
		}
		c = doc.AddField(n, s.Name)
	}
	return a.assign(c, rest)
}

func (a *assignment) element(n document.Node, s *syntax.Segment, rest []syntax.Segment) error {
	doc := a.m.doc
	if doc.Kind(n) != document.Array {
		return &Error{Message: fmt.Sprintf("%s is %s, it has no element %d", doc.Path(n), show(doc, n), s.Index)}
	}
	if c := doc.Element(n, s.Index); c != document.None {
		return a.assign(c, rest)
	}
	if s.Index == doc.Len(n) && len(rest) == 0 {
		return a.set(doc.Append(n))
	}
	return &Error{Message: fmt.Sprintf("%s has no element %d, only %d of them", doc.Path(n), s.Index, doc.Len(n))}
}

func hasWildcard(segments []syntax.Segment) bool {
	return slices.ContainsFunc(segments, func(s syntax.Segment) bool { return s.Kind == syntax.Wildcard })
}

// checkIdentity returns an error if the manifest has no valid kind or name.
func (m *Machine) checkIdentity() error {
	root := m.doc.Root()
	metadata := m.doc.Field(root, "metadata")
	for _, f := range []struct {
		what string
		node document.Node
	}{
		{"apiVersion", m.doc.Field(root, "apiVersion")},
		{"kind", m.doc.Field(root, "kind")},
		{"metadata.name", m.within(metadata, "name")},
	} {
		switch {
		case f.node == document.None:
			return &Error{Message: fmt.Sprintf("the object would have no %s", f.what)}
		case m.text(f.node) == "":
			return &Error{Message: fmt.Sprintf("%s would be %s, which an object cannot have", f.what, show(m.doc, f.node))}
		}
	}
	if gvk := m.gvk(); !validKind(gvk) || strings.HasPrefix(m.text(m.doc.Field(root, "apiVersion")), "/") {
		return &Error{Message: fmt.Sprintf("apiVersion %q and kind %q would not make a kind", m.text(m.doc.Field(root, "apiVersion")), gvk.Kind)}
	}
	if n := m.within(metadata, "namespace"); n != document.None && m.doc.Kind(n) != document.Null && !m.doc.IsText(n) {
		return &Error{Message: fmt.Sprintf("metadata.namespace would be %s, which an object cannot have", show(m.doc, n))}
	}
	return nil
}

// validKind reports whether a trace can contain the kind.
func validKind(gvk schema.GroupVersionKind) bool {
	parsed, err := trace.ParseGVK(trace.FormatGVK(gvk))
	return err == nil && parsed == gvk
}

func (m *Machine) within(n document.Node, key string) document.Node {
	if n == document.None {
		return n
	}
	return m.doc.Field(n, key)
}

// scale multiplies the replica counts.
func (m *Machine) scale(c *command) (int, error) {
	m.load()
	spec := m.doc.Field(m.doc.Root(), "spec")
	if spec == document.None || m.doc.Kind(spec) != document.Map {
		return 0, nil
	}
	fields := 0
	replicas := m.doc.Field(spec, "replicas")
	if (replicas == document.None || m.doc.Kind(replicas) == document.Null) && m.oneByDefault() {
		if replicas == document.None {
			replicas = m.doc.AddField(spec, "replicas")
		}
		m.doc.Set(replicas, msgp.AppendUint64(nil, 1))
	}
	if replicas != document.None {
		n, err := m.multiply(c, replicas)
		if err != nil {
			return 0, err
		}
		fields += n
	}
	for list := m.doc.First(spec); list != document.None; list = m.doc.Next(list) {
		if m.doc.Kind(list) != document.Array {
			continue
		}
		for e := m.doc.First(list); e != document.None; e = m.doc.Next(e) {
			replicas := m.doc.Field(e, "replicas")
			if replicas == document.None {
				continue
			}
			n, err := m.multiply(c, replicas)
			if err != nil {
				return 0, err
			}
			fields += n
		}
	}
	return fields, nil
}

// oneByDefault reports whether an object of this kind has one replica if none is set.
func (m *Machine) oneByDefault() bool {
	gvk := m.gvk()
	return gvk.Group == "apps" && (gvk.Kind == "Deployment" || gvk.Kind == "StatefulSet" || gvk.Kind == "ReplicaSet")
}

func (m *Machine) multiply(c *command, n document.Node) (int, error) {
	if m.doc.Kind(n) != document.Int {
		return 0, nil
	}
	old := m.doc.Int(n)
	scaled := math.Floor(float64(old)*c.factor + 0.5)
	if math.Abs(scaled) > math.MaxInt32 {
		return 0, &Error{Message: fmt.Sprintf("%s would be %.0f, more than the maximum of Kubernetes", m.doc.Path(n), scaled)}
	}
	if int64(scaled) != old {
		m.doc.Set(n, appendInt(nil, int64(scaled)))
	}
	return 1, nil
}

func appendInt(b []byte, i int64) []byte {
	if i < 0 {
		return msgp.AppendInt64(b, i)
	}
	return msgp.AppendUint64(b, uint64(i))
}
