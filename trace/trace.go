package trace

import (
	"errors"
	"io"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Version is the version of the format that is written.
const Version = 2

// MaxDepth is how deep maps and arrays may be nested in a trace, the outermost map being the first.
const MaxDepth = 256

// Trace is a whole trace in memory. A trace that may be large is better walked with a [Reader].
type Trace struct {
	Config     Config
	Events     []Event
	Index      Index
	Lifecycles Lifecycles
	// Extension is the value of the key x-simkube as it stood in the file (a msgpack map with a
	// version of its own), or nil. It is written back unchanged.
	Extension []byte
}

// Index has the manifest hash of every object's last manifest, by kind and namespaced name.
type Index map[schema.GroupVersionKind]map[string]uint64

// Record notes the hashes of the objects an event applies. The index of a trace is the result of
// recording each of its events in turn; an object that was deleted keeps the hash it had.
func (x Index) Record(e *Event) {
	for i := range e.Applied {
		obj := &e.Applied[i]
		names := x[obj.GVK()]
		if names == nil {
			names = map[string]uint64{}
			x[obj.GVK()] = names
		}
		names[obj.NamespacedName()] = obj.Hash()
	}
}

// Tail is what stands after the events of a trace.
type Tail struct {
	Index      Index
	Lifecycles Lifecycles
	// Extension is the raw value of x-simkube, or nil; see [Trace].
	Extension []byte
}

// Read reads a trace of either version into memory and checks all of it.
func Read(r io.Reader) (*Trace, error) { return nil, errors.ErrUnsupported }

// ReadFile reads the trace in a file into memory and checks all of it. Errors name the file.
func ReadFile(path string) (*Trace, error) { return nil, errors.ErrUnsupported }

// Write writes the trace in its canonical form, version 2.
func (t *Trace) Write(w io.Writer) error { return errors.ErrUnsupported }

// WriteFile writes the trace to a file, which appears under its name only when it is complete and on disk.
func (t *Trace) WriteFile(path string) error { return errors.ErrUnsupported }
