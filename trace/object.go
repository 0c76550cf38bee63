package trace

import (
	"bytes"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is one manifest in a trace, kept as the msgpack bytes it is recorded as. The zero Object is
// not valid: objects come from a Reader, from Read or from NewObject.
//
// An Object that came from a Reader is valid until the Reader's next Next or Tail; Clone keeps it.
// Its methods may be called concurrently with each other.
type Object struct {
	raw []byte
	gvk *schema.GroupVersionKind
	namespace,
	name,
	labels,
	spec span
	// canonical says that raw is what a Writer would write.
	canonical bool
}

// span is a part of an object's bytes; it is empty where there is no such part.
type span struct{ start, end uint32 }

// NewObject makes an object to be written. It needs an apiVersion, a kind and a metadata.name, and
// holds only what JSON can hold: nil, bool, integers, finite floats, string, []any and map[string]any.
// u is not kept.
func NewObject(u *unstructured.Unstructured) (Object, error) {
	raw, err := appendManifest(nil, u.Object)
	if err != nil {
		return Object{}, fmt.Errorf("encode %s %s: %w", u.GetKind(), NamespacedName(u.GetNamespace(), u.GetName()), err)
	}
	return parseObject(raw)
}

// ParseObject makes an object of the msgpack bytes of a manifest, which it checks as a Reader would: an error is a [*FormatError] whose
// offset and path are those in the manifest. It keeps raw, which must not change any more.
func ParseObject(raw []byte) (Object, error) { return parseObject(raw) }

// NewDeleted makes an object of what is written of a deleted one: its kind, and its namespaced name.
func NewDeleted(gvk schema.GroupVersionKind, namespacedName string) (Object, error) {
	namespace, name := SplitNamespacedName(namespacedName)
	raw := appendReference(make([]byte, 0, 96), &gvk, namespace, name)
	obj, err := parseObject(raw)
	if err != nil {
		return Object{}, fmt.Errorf("encode deleted %s %s: %w", FormatGVK(gvk), namespacedName, err)
	}
	return obj, nil
}

func parseObject(raw []byte) (Object, error) {
	var p ObjectParser
	return p.Parse(raw)
}

// ObjectParser is ParseObject for many objects: it remembers their kinds. The zero value is ready to use. It is not safe for concurrent use.
type ObjectParser struct {
	kinds kindCache
	keys  []piece
}

// Parse is ParseObject.
func (p *ObjectParser) Parse(raw []byte) (Object, error) {
	s := scanner{input: wholeInput(raw), keys: p.keys[:0]}
	found, err := s.object(&p.kinds)
	p.keys = s.keys
	if err != nil {
		return Object{}, err
	}
	if s.pos != len(raw) {
		return Object{}, s.fail(s.pos, ErrTrailing, "%d bytes follow the object", len(raw)-s.pos)
	}
	found.raw = raw
	return found.Object, nil
}

// GVK gives the object's kind.
func (o *Object) GVK() schema.GroupVersionKind { return *o.gvk }

// Namespace gives metadata.namespace, empty for a cluster-scoped object.
func (o *Object) Namespace() string { return string(o.raw[o.namespace.start:o.namespace.end]) }

// Name gives metadata.name.
func (o *Object) Name() string { return string(o.raw[o.name.start:o.name.end]) }

// NamespacedName gives "namespace/name", or "name" for a cluster-scoped object.
func (o *Object) NamespacedName() string { return NamespacedName(o.Namespace(), o.Name()) }

// Raw gives the msgpack bytes of the whole manifest. The caller must not change them.
func (o *Object) Raw() []byte { return o.raw }

// Spec gives the msgpack bytes of the manifest's spec, or nil where it has none. The caller must not change them.
func (o *Object) Spec() []byte {
	if o.spec.end == 0 {
		return nil
	}
	return o.raw[o.spec.start:o.spec.end:o.spec.end]
}

// Hash gives the manifest hash: of the spec, or of null where there is none.
func (o *Object) Hash() uint64 {
	spec := o.Spec()
	if spec == nil {
		spec = []byte{mNil}
	}
	return hashMsgpack(spec, o.canonical)
}

// Unstructured decodes the object. The tree is the caller's own; it holds nil, bool, int64, float64,
// string, []any and map[string]any only. Binary data becomes its base64 text, and an integer beyond
// int64 a float64, as when Kubernetes reads JSON.
func (o *Object) Unstructured() (*unstructured.Unstructured, error) {
	if o.gvk == nil {
		return nil, errZeroObject
	}
	d := decoder{walker: walker[string]{src: string(o.raw)}}
	return &unstructured.Unstructured{Object: d.object()}, nil
}

// Clone gives a copy with bytes of its own.
func (o *Object) Clone() Object {
	c := *o
	c.raw = bytes.Clone(o.raw)
	return c
}
