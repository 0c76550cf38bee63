package machine

import (
	"slices"

	"simkube.io/simkube/skel/internal/document"
	"simkube.io/simkube/skel/internal/syntax"
)

// path is a compiled path.
type path struct {
	// variable is the index of the variable that it begins with, or -1.
	variable int
	segments []syntax.Segment
	// full is the path with its variable replaced by the path that it stands for.
	full []syntax.Segment
	// identity is set if the path is available in every object without decoding it.
	identity identity
}

// identity is a part of the identity of an object: its kind, namespace or name.
type identity uint8

const (
	noIdentity identity = iota
	apiVersion
	kind
	name
	namespace
)

// scope holds the variables of a command during compilation.
type scope struct {
	names []string
	paths map[string][]syntax.Segment
	// records: everything so far can be evaluated on the record of a deleted object. timed: there is a
	// time; named: there is a path to the kind, namespace or name, or @gvk; byName: there is a path to
	// the name.
	records, timed, named, byName bool
}

func newScope() *scope { return &scope{paths: map[string][]syntax.Segment{}, records: true} }

func (s *scope) path(p *syntax.Path) *path {
	s.named = true
	out := &path{variable: -1, segments: p.Segments, full: p.Segments}
	if p.Var != nil {
		out.variable = slices.Index(s.names, p.Var.Name)
		out.full = slices.Concat(s.paths[p.Var.Name], p.Segments)
	} else {
		out.identity = identityOf(p.Segments)
	}
	switch id := identityOf(out.full); {
	case !recorded(out.full):
		s.records = false
	case id == noIdentity || id == name:
		s.byName = true
	}
	return out
}

// recorded reports whether the record of a deleted object contains a place, if the object had it.
func recorded(full []syntax.Segment) bool {
	return identityOf(full) != noIdentity || len(full) == 1 && full[0].Kind == syntax.Field && full[0].Name == "metadata"
}

func identityOf(full []syntax.Segment) identity {
	for _, s := range full {
		if s.Kind != syntax.Field {
			return noIdentity
		}
	}
	switch {
	case len(full) == 1 && full[0].Name == "apiVersion":
		return apiVersion
	case len(full) == 1 && full[0].Name == "kind":
		return kind
	case len(full) == 2 && full[0].Name == "metadata" && full[1].Name == "name":
		return name
	case len(full) == 2 && full[0].Name == "metadata" && full[1].Name == "namespace":
		return namespace
	}
	return noIdentity
}

// requiredKeys appends keys that occur in every manifest with a place of the path. The last key is
// enough: it is the least common.
func (p *path) requiredKeys(keys [][]byte) [][]byte {
	if p.identity != noIdentity {
		return keys
	}
	for _, s := range slices.Backward(p.segments) {
		if s.Kind == syntax.Field {
			return append(keys, []byte(s.Name))
		}
	}
	return keys
}

// places appends the places of a path.
func (m *Machine) places(dst []document.Node, p *path) []document.Node {
	m.load()
	if p.variable < 0 {
		return m.below(dst, m.doc.Root(), p.segments)
	}
	for _, n := range m.variables[p.variable] {
		dst = m.below(dst, n, p.segments)
	}
	return dst
}

// below appends the places that segments lead to from a node.
func (m *Machine) below(dst []document.Node, n document.Node, segments []syntax.Segment) []document.Node {
	for i := range segments {
		m.steps++
		switch s := &segments[i]; s.Kind {
		case syntax.Field:
			n = m.doc.Field(n, s.Name)
		case syntax.Index:
			n = m.doc.Element(n, s.Index)
		default:
			if m.doc.Kind(n) == document.Array {
				for c := m.doc.First(n); c != document.None; c = m.doc.Next(c) {
					dst = m.below(dst, c, segments[i+1:])
				}
			}
			return dst
		}
		if n == document.None {
			return dst
		}
	}
	return append(dst, n)
}
