package trace

import (
	"errors"
	"fmt"
	"io"
	"math"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Version is the version of the format that is written.
const Version = 2

// MaxDepth is the maximum nesting depth of maps and arrays in a trace. The outermost map has depth
// 1.
const MaxDepth = 256

// Limits of the encoding and of a Reader's memory.
const (
	maxObjectBytes = math.MaxUint32
	maxEvents      = math.MaxUint32
)

// Trace is a whole trace in memory. Use a [Reader] for a trace that may be large.
type Trace struct {
	Config     Config
	Events     []Event
	Index      Index
	Lifecycles Lifecycles
	// Extension is the value of the key x-simkube as it was in the file (a msgpack map with its own
	// version), or nil. It is written back unchanged.
	Extension []byte
}

// Index holds the hash of every object's last manifest, by kind and namespaced name.
type Index map[schema.GroupVersionKind]map[string]uint64

// Record sets the hashes of the objects that an event applies. The index of a trace is the result
// of recording each of its events in order. An object that was deleted keeps its hash.
func (x Index) Record(e *Event) {
	for i := range e.Applied {
		obj := &e.Applied[i]
		x.set(obj.GVK(), obj.NamespacedName(), obj.Hash())
	}
}

func (x Index) set(gvk schema.GroupVersionKind, name string, hash uint64) {
	names := x[gvk]
	if names == nil {
		names = map[string]uint64{}
		x[gvk] = names
	}
	names[name] = hash
}

// Tail is the part of a trace after the events.
type Tail struct {
	Index      Index
	Lifecycles Lifecycles
	// Extension is the raw value of x-simkube, or nil; see [Trace].
	Extension []byte
}

// Read reads a trace of either version into memory and checks all of it.
func Read(r io.Reader) (*Trace, error) {
	reader, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	return reader.rest()
}

// ReadFile reads the trace in a file into memory and checks all of it. Errors contain the file
// name.
func ReadFile(path string) (_ *Trace, err error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	t, err := f.rest()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// rest reads the rest of a trace into memory.
func (r *Reader) rest() (*Trace, error) {
	t := &Trace{}
	for e, err := range r.Events() {
		if err != nil {
			return nil, err
		}
		t.Events = append(t.Events, e.Clone())
	}
	tail, err := r.Tail()
	if err != nil {
		return nil, err
	}
	t.Config = r.config
	t.Index, t.Lifecycles, t.Extension = tail.Index, tail.Lifecycles, tail.Extension
	return t, nil
}

// Write writes the trace in its canonical form, version 2.
func (t *Trace) Write(w io.Writer) error {
	out, err := NewWriter(w, &t.Config, t.options())
	if err != nil {
		return err
	}
	return t.write(out.WriteEvent, out.Finish)
}

// WriteFile writes the trace to a file, which appears under its name only when it is complete and
// synced.
func (t *Trace) WriteFile(path string) (err error) {
	out, err := Create(path, &t.Config, t.options())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return t.write(out.WriteEvent, out.Finish)
}

func (t *Trace) options() WriterOptions {
	return WriterOptions{Events: len(t.Events), Extension: t.Extension != nil}
}

func (t *Trace) write(event func(*Event) error, finish func(*Tail) error) error {
	for i := range t.Events {
		if err := event(&t.Events[i]); err != nil {
			return err
		}
	}
	return finish(&Tail{Index: t.Index, Lifecycles: t.Lifecycles, Extension: t.Extension})
}
