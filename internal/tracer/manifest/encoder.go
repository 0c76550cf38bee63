package manifest

import (
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/tinylib/msgp/msgp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Manifest is the recorded form of an object.
type Manifest struct {
	Head Head
	// Object is the object as canonical msgpack, like [trace.Object.Raw] of an object of
	// trace.NewObject. It has no owner references, no status, and no metadata that changes by itself
	// or is meaningless in another cluster; it is redacted.
	Object []byte
	// References is metadata.ownerReferences as canonical msgpack, nil if there are none.
	References []byte
	// Hash is the xxHash64 of Object and References, so that it differs if anything recorded
	// differs.
	Hash uint64
}

// EncoderOptions are the options of an Encoder.
type EncoderOptions struct {
	// GVK is the kind of the objects. Items of lists do not contain it.
	GVK schema.GroupVersionKind
	// PodSpecTemplatePaths are the paths of the pod templates in the objects; see
	// [trace.Config.PodSpecTemplatePaths]. They are used for redaction.
	PodSpecTemplatePaths []string
	// Redactor replaces what must not be recorded. Nil means that everything is recorded.
	Redactor *Redactor
}

// Encoder makes manifests of the objects of one kind. It reuses its buffers, and must be used by
// one goroutine at a time.
type Encoder struct {
	writer
	gvk              schema.GroupVersionKind
	apiVersion, kind []byte
	plan             *plan

	head       headParts
	owners     []OwnerReference
	references []byte
	hash       xxhash.Digest
	pod        *podReader // nil unless the objects are pods
	// metadata, hasAPIVersion and hasKind are whether the object has these fields.
	metadata, hasAPIVersion, hasKind bool
}

// NewEncoder returns an encoder. It returns an error if the options are invalid.
func NewEncoder(opts EncoderOptions) (*Encoder, error) {
	if gvk, err := trace.ParseGVK(trace.FormatGVK(opts.GVK)); err != nil || gvk != opts.GVK {
		return nil, fmt.Errorf("invalid kind %q: a trace cannot have it", opts.GVK.String())
	}
	p := sanitised(opts.GVK)
	if err := opts.Redactor.addTo(p, opts.GVK, opts.PodSpecTemplatePaths); err != nil {
		return nil, fmt.Errorf("redact %s: %w", trace.FormatGVK(opts.GVK), err)
	}
	apiVersion, kind := opts.GVK.ToAPIVersionAndKind()
	e := &Encoder{gvk: opts.GVK, apiVersion: []byte(apiVersion), kind: []byte(kind), plan: p}
	e.tokens = opts.Redactor.tokenizer()
	if opts.GVK == corev1.SchemeGroupVersion.WithKind("Pod") {
		e.pod = &podReader{}
	}
	return e, nil
}

// Encode makes a manifest of an object's JSON. It is an error if the object has another kind than
// the encoder, or no name; errors are of type *Error. The manifest's bytes and its Head's Owners
// are valid until the next Encode. The spec.nodeName of a v1.Pod is left out.
func (e *Encoder) Encode(json []byte) (Manifest, error) {
	e.reset(json)
	e.metadata, e.hasAPIVersion, e.hasKind = false, false, false
	e.pod.reset()
	if err := e.encode(); err != nil {
		return Manifest{}, err
	}
	m := Manifest{Head: e.head.head(e.owners[:0]), Object: e.out}
	if m.Head.Owners != nil {
		e.owners = m.Head.Owners
		m.References = e.references
	}
	e.hash.Reset()
	_, _ = e.hash.Write(m.Object) // never fails
	_, _ = e.hash.Write(m.References)
	m.Hash = e.hash.Sum64()
	if e.pod != nil {
		e.pod.head, e.pod.done = m.Head, true
	}
	return m, nil
}

// The first fields of an object are always these; all others are sorted after them.
const (
	rankAPIVersion = iota - 3
	rankKind
	rankMetadata
)

func (e *Encoder) encode() *Error {
	m, err := e.startMap(0)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := e.key(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if err := e.field(&m, key); err != nil {
			return err
		}
	}
	if err := e.end(); err != nil {
		return err
	}
	switch {
	case !e.metadata:
		return e.fail(0, trace.ErrMissingKey, "the object has no metadata")
	case e.head.name.start == e.head.name.end:
		return e.fail(0, trace.ErrMissingKey, "the object has no name")
	}
	if !e.hasAPIVersion {
		e.addString(&m, "apiVersion", e.apiVersion, rankAPIVersion)
	}
	if !e.hasKind {
		e.addString(&m, "kind", e.kind, rankKind)
	}
	m.end(&e.writer)
	return nil
}

// addString writes a field that the object does not have.
func (e *Encoder) addString(m *mapWriter, key string, text []byte, rank int) {
	m.key(&e.writer, []byte(key))
	m.next.rank = rank
	e.out = msgp.AppendStringFromBytes(e.out, text)
	m.done(&e.writer)
}

// field writes a field of the object.
func (e *Encoder) field(m *mapWriter, key []byte) (err *Error) {
	at := e.plan.at(key)
	if at != nil && at.drop {
		if e.pod != nil && string(key) == "status" {
			return e.podStatus()
		}
		return e.skip(1)
	}
	m.key(&e.writer, key)
	if e.pod != nil && string(key) == "spec" {
		err = e.podSpec(at)
		if err == nil {
			m.done(&e.writer)
		}
		return err
	}
	switch string(key) {
	case "apiVersion":
		m.next.rank = rankAPIVersion
		err = e.sameText(&e.hasAPIVersion, e.apiVersion, "the apiVersion")
		if !e.hasAPIVersion {
			m.cut(&e.writer)
			return err
		}
	case "kind":
		m.next.rank = rankKind
		err = e.sameText(&e.hasKind, e.kind, "the kind")
		if !e.hasKind {
			m.cut(&e.writer)
			return err
		}
	case "metadata":
		m.next.rank = rankMetadata
		e.metadata = true
		err = e.writeMetadata(at)
	default:
		err = e.value(at, 1)
	}
	if err != nil {
		return err
	}
	m.done(&e.writer)
	return nil
}

// sameText writes a string, which must be want. An empty string counts as missing.
func (e *Encoder) sameText(has *bool, want []byte, what string) *Error {
	e.peek()
	start := e.pos
	text, err := e.string()
	switch {
	case err != nil:
		return err
	case len(text) == 0:
		return nil
	case string(text) != string(want):
		return e.fail(start, trace.ErrValue, "%s is not that of a %s", what, trace.FormatGVK(e.gvk))
	}
	*has = true
	e.out = msgp.AppendStringFromBytes(e.out, text)
	return nil
}

// writeMetadata writes the metadata without the owner references, and reads the head.
func (e *Encoder) writeMetadata(p *plan) *Error {
	e.head.reset()
	e.references = e.references[:0]
	m, err := e.startMap(1)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := e.key(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if err := e.metadataField(&m, p.at(key), key); err != nil {
			return err
		}
	}
	m.end(&e.writer)
	return nil
}

func (e *Encoder) metadataField(m *mapWriter, p *plan, key []byte) *Error {
	m.key(&e.writer, key)
	references := string(key) == "ownerReferences"
	named := string(key) == "name"
	c := e.peek()
	start := e.pos
	known, err := e.head.field(&e.scanner, key)
	switch {
	case err != nil:
		return err
	case named && c != '"':
		return e.fail(start, trace.ErrType, "the name is not a string")
	case p != nil && p.drop:
		m.cut(&e.writer)
		if !known {
			return e.skip(2)
		}
		return nil
	}
	e.pos = start
	if err := e.value(p, 2); err != nil {
		return err
	}
	if references {
		e.references = append(e.references[:0], m.cut(&e.writer)...)
		return nil
	}
	m.done(&e.writer)
	return nil
}
