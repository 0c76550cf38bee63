// Package content compares objects of different traces by what they hold, however their traces encode it.
package content

import (
	"bytes"

	"github.com/cespare/xxhash/v2"

	"simkube.io/simkube/trace"
)

// Hasher makes hashes of the objects of one trace. Those of different traces can be compared. The zero value takes the objects' bytes for what
// a [trace.Writer] would write; Sample finds out whether they are.
type Hasher struct {
	sampled int
	// foreign: the bytes cannot be compared with those of other traces.
	foreign bool
}

// samples is how many objects are looked at to tell how all of them are encoded: a trace is written by one program.
const samples = 64

// Sample looks at an object of the trace. It is quick from some objects on.
func (h *Hasher) Sample(o *trace.Object) error {
	if h.sampled >= samples || h.foreign {
		return nil
	}
	h.sampled++
	canonical, err := encode(o)
	if err != nil {
		return err
	}
	h.foreign = !bytes.Equal(canonical, o.Raw())
	return nil
}

// Hash gives a hash of all of an object.
func (h *Hasher) Hash(o *trace.Object) (uint64, error) {
	if !h.foreign {
		return xxhash.Sum64(o.Raw()), nil
	}
	canonical, err := encode(o)
	if err != nil {
		return 0, err
	}
	return xxhash.Sum64(canonical), nil
}

// encode gives an object's bytes as a Writer writes them.
func encode(o *trace.Object) ([]byte, error) {
	u, err := o.Unstructured()
	if err != nil {
		return nil, err
	}
	canonical, err := trace.NewObject(u)
	if err != nil {
		return nil, err
	}
	return canonical.Raw(), nil
}
