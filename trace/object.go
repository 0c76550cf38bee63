package trace

import (
	"bytes"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is one manifest in a trace. It holds the msgpack bytes that were recorded. The zero Object
// is not valid: objects are created by a Reader, Read or NewObject.
//
// An Object of a Reader is valid until the next call of the Reader's Next or Tail; use Clone to
// keep it. Its methods may be called concurrently with each other.
type Object struct {
	raw []byte
	gvk *schema.GroupVersionKind
	namespace,
	name,
	labels,
	spec span
	// canonical means that a Writer would write the same bytes.
	canonical bool
}

// span is a part of an object's bytes. It is empty if the part does not exist.
type span struct{ start, end uint32 }

// NewObject returns an object that can be written. u must have an apiVersion, a kind and a
// metadata.name, and hold only values that JSON can represent: nil, bool, integers, finite floats,
// string, []any and map[string]any. u is not retained.
func NewObject(u *unstructured.Unstructured) (Object, error) {
	raw, err := appendManifest(nil, u.Object)
	if err != nil {
		return Object{}, fmt.Errorf("encode %s %s: %w", u.GetKind(), NamespacedName(u.GetNamespace(), u.GetName()), err)
	}
	return parseObject(raw)
}

// ParseObject parses the msgpack bytes of a manifest. It checks them as a Reader does. An error is
// a [*FormatError] with an offset and a path in the manifest. The object keeps raw, which must not
// be modified afterwards.
func ParseObject(raw []byte) (Object, error) { return parseObject(raw) }

// NewDeleted returns a deleted object, which has only a kind and a namespaced name.
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

// ObjectParser parses many objects. It caches their kinds. The zero value is ready to use. It is
// not safe for concurrent use.
type ObjectParser struct {
	kinds kindCache
	keys  []piece
}

// Parse is like ParseObject.
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

// GVK returns the object's kind.
func (o *Object) GVK() schema.GroupVersionKind { return *o.gvk }

// Namespace returns metadata.namespace, or "" for a cluster-scoped object.
func (o *Object) Namespace() string { return string(o.raw[o.namespace.start:o.namespace.end]) }

// Name returns metadata.name.
func (o *Object) Name() string { return string(o.raw[o.name.start:o.name.end]) }

// NamespacedName returns "namespace/name", or "name" for a cluster-scoped object.
func (o *Object) NamespacedName() string { return NamespacedName(o.Namespace(), o.Name()) }

// Raw returns the msgpack bytes of the whole manifest. The caller must not modify them.
func (o *Object) Raw() []byte { return o.raw }

// Spec returns the msgpack bytes of the manifest's spec, or nil if it has none. The caller must not
// modify them.
func (o *Object) Spec() []byte {
	if o.spec.end == 0 {
		return nil
	}
	return o.raw[o.spec.start:o.spec.end:o.spec.end]
}

// Hash returns the manifest hash: the hash of the spec, or of null if there is none.
func (o *Object) Hash() uint64 {
	spec := o.Spec()
	if spec == nil {
		spec = []byte{mNil}
	}
	return hashMsgpack(spec, o.canonical)
}

// Unstructured decodes the object to a new tree, which holds only nil, bool, int64, float64,
// string, []any and map[string]any. As when Kubernetes reads JSON, binary data becomes its base64
// text, and an integer beyond int64 a float64.
func (o *Object) Unstructured() (*unstructured.Unstructured, error) {
	if o.gvk == nil {
		return nil, errZeroObject
	}
	d := decoder{walker: walker[string]{src: string(o.raw)}}
	return &unstructured.Unstructured{Object: d.object()}, nil
}

// Clone returns a copy that shares no memory with the object.
func (o *Object) Clone() Object {
	c := *o
	c.raw = bytes.Clone(o.raw)
	return c
}
