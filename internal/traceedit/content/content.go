// Package content compares objects of different traces by content, regardless of their encoding.
package content

import (
	"bytes"

	"github.com/cespare/xxhash/v2"

	"simkube.io/simkube/trace"
)

// Hasher hashes the objects of one trace. Hashes of different traces are comparable. The zero value
// assumes that the objects are encoded as by a [trace.Writer]; Sample checks that.
type Hasher struct {
	sampled int
	// foreign: the bytes are not comparable with those of other traces.
	foreign bool
}

// samples is the number of objects that are checked to determine the encoding of all objects: a
// trace is written by one program.
const samples = 64

// Sample checks the encoding of an object of the trace. It does nothing after a number of objects.
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

// Hash returns a hash of the whole object.
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

// encode returns an object's bytes as a Writer would write them.
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
