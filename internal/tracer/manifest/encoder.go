package manifest

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Manifest is what is recorded of an object.
type Manifest struct {
	Head Head
	// Object is the object as canonical msgpack, as [trace.Object.Raw] of one made by trace.NewObject: without owner references, the status, and
	// whatever of the metadata changes by itself or means nothing in another cluster; redacted.
	Object []byte
	// References is metadata.ownerReferences as canonical msgpack, nil where there are none.
	References []byte
	// Hash is the xxHash64 of Object and References: two manifests that differ in anything that is recorded differ in it.
	Hash uint64
}

// EncoderOptions say which objects an Encoder is for.
type EncoderOptions struct {
	// GVK is the kind of the objects. Items of lists do not say it themselves.
	GVK schema.GroupVersionKind
	// PodSpecTemplatePaths are where the objects have pod templates; see [trace.Config.PodSpecTemplatePaths]. Redaction needs them.
	PodSpecTemplatePaths []string
	// Redactor takes out what shall not be recorded. Nil: everything is.
	Redactor *Redactor
}

// Encoder makes manifests of the objects of one kind. It is used by one goroutine at a time, again and again: it keeps its buffers.
type Encoder struct{}

// NewEncoder makes an encoder. The error says what is wrong with the options.
func NewEncoder(opts EncoderOptions) (*Encoder, error) { panic("to do") }

// Encode makes a manifest of an object's JSON. An object of another kind than the encoder's is an error, as is one without a name; errors are of type *Error.
// The manifest's bytes and its Head's Owners are valid until the next Encode. The spec.nodeName of a v1.Pod is left out.
func (e *Encoder) Encode(json []byte) (Manifest, error) { panic("to do") }
