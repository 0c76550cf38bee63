package trace

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// foundObject is an object that the scanner has read: its parts and its position in the window.
type foundObject struct {
	Object
	at piece
}

// objectDepth is the nesting depth of an object in a trace.
const objectDepth = 4

// object checks a manifest and finds its parts.
func (s *scanner) object(kinds *kindCache) (foundObject, *FormatError) {
	m := manifest{scanner: s, start: s.pos, depth: objectDepth + 1}
	s.canonical = true
	if err := s.fields(m.field); err != nil {
		return foundObject{}, err
	}
	return m.finish(kinds)
}

// manifest collects the parts of an object while the scanner reads it, as positions in the window.
type manifest struct {
	*scanner
	start, depth                                              int
	apiVersion, kind, metadata, namespace, name, labels, spec piece
	// fieldCount and last check the canonical order of the fields.
	fieldCount int
	last       piece
}

func (m *manifest) field(key []byte) (err *FormatError) {
	place := m.fieldCount
	m.fieldCount++
	switch string(key) {
	case "apiVersion":
		m.order(place == 0)
		m.apiVersion, err = m.string()
	case "kind":
		m.order(place == 1)
		m.kind, err = m.string()
	case "metadata":
		m.order(place == 2)
		m.metadata.start = m.pos
		var sorted bool
		sorted, err = m.sortedFields(m.metadataField)
		m.order(sorted)
		m.metadata.end = m.pos
	default:
		m.order(place >= 3 && (m.last.end == 0 || string(m.buf[m.last.start:m.last.end]) < string(key)))
		m.last = m.keys[len(m.keys)-1]
		start := m.pos
		isSpec := string(key) == "spec"
		err = m.skip(m.depth)
		if isSpec {
			m.spec = piece{start, m.pos}
		}
	}
	return err
}

func (m *manifest) metadataField(key []byte) (err *FormatError) {
	switch string(key) {
	case "name":
		m.name, err = m.string()
	case "namespace":
		var none bool
		if none, err = m.null(); err == nil && !none {
			m.namespace, err = m.string()
		}
	case "labels":
		start := m.pos
		err = m.skip(m.depth + 1)
		m.labels = piece{start, m.pos}
	default:
		err = m.skip(m.depth + 1)
	}
	return err
}

func (m *manifest) string() (piece, *FormatError) {
	start, end, err := m.str("a string")
	return piece{start, end}, err
}

func (m *manifest) order(ok bool) {
	if !ok {
		m.canonical = false
	}
}

func (m *manifest) finish(kinds *kindCache) (foundObject, *FormatError) {
	size := m.pos - m.start
	switch {
	case m.apiVersion.end == 0:
		return foundObject{}, m.missing("apiVersion", m.start)
	case m.kind.end == 0:
		return foundObject{}, m.missing("kind", m.start)
	case m.metadata.end == 0:
		return foundObject{}, m.missing("metadata", m.start)
	case m.name.end == m.name.start:
		return foundObject{}, m.missing("name", m.metadata.start).in("metadata")
	case size > maxObjectBytes:
		return foundObject{}, m.fail(m.start, ErrValue, "the object has %d bytes; at most %d can be read", size, maxObjectBytes)
	}
	gvk, err := kinds.lookup(m.buf[m.apiVersion.start:m.apiVersion.end], m.buf[m.kind.start:m.kind.end])
	if err != nil {
		return foundObject{}, m.fail(m.start, ErrValue, "%v", err)
	}
	return foundObject{
		Object: Object{
			gvk:       gvk,
			namespace: m.part(m.namespace),
			name:      m.part(m.name),
			labels:    m.part(m.labels),
			spec:      m.part(m.spec),
			canonical: m.canonical,
		},
		at: piece{m.start, m.pos},
	}, nil
}

func (m *manifest) part(p piece) span {
	if p.end == 0 {
		return span{}
	}
	return span{uint32(p.start - m.start), uint32(p.end - m.start)}
}

func (s *scanner) missing(key string, pos int) *FormatError {
	return s.fail(pos, ErrMissingKey, "the key %q is missing", key)
}

// kindCache caches kinds so that objects share them.
type kindCache struct {
	kinds map[string]*schema.GroupVersionKind
	key   []byte
}

// maxKinds is the maximum size of the cache; a cluster has far fewer kinds.
const maxKinds = 1 << 10

func (c *kindCache) lookup(apiVersion, kind []byte) (*schema.GroupVersionKind, error) {
	c.key = append(append(append(c.key[:0], apiVersion...), 0), kind...)
	if gvk, ok := c.kinds[string(c.key)]; ok {
		return gvk, nil
	}
	gvk, err := objectKind(string(apiVersion), string(kind))
	if err != nil {
		return nil, err
	}
	if c.kinds == nil {
		c.kinds = map[string]*schema.GroupVersionKind{}
	}
	if len(c.kinds) < maxKinds {
		c.kinds[string(c.key)] = gvk
	}
	return gvk, nil
}

// objectKind returns the kind of an object. It returns an error if ParseGVK could not parse it.
func objectKind(apiVersion, kind string) (*schema.GroupVersionKind, error) {
	group, version, slash := strings.Cut(apiVersion, "/")
	if !slash {
		group, version = "", apiVersion
	}
	gvk := &schema.GroupVersionKind{Group: group, Version: version, Kind: kind}
	if parsed, err := ParseGVK(FormatGVK(*gvk)); err != nil || parsed != *gvk || slash && group == "" {
		return nil, fmt.Errorf("apiVersion %.64q and kind %.64q are not a valid kind", apiVersion, kind)
	}
	return gvk, nil
}
