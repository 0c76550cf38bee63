package trace

// Batch holds copies of events that stay valid when the Reader moves on. It reuses its memory. The
// zero value is ready to use.
type Batch struct {
	// Events are the added events. They are valid until Reset.
	Events  []Event
	buf     []byte
	size    int
	objects []Object
}

// Add adds a copy of an event.
func (b *Batch) Add(e *Event) {
	size := 0
	for _, objs := range [][]Object{e.Applied, e.Deleted} {
		for i := range objs {
			size += len(objs[i].raw)
		}
	}
	// Grow at most once for the whole event, which may be large. Events that were added before keep
	// the old memory.
	if cap(b.buf)-len(b.buf) < size {
		b.buf = make([]byte, 0, max(size, min(2*cap(b.buf), maxBatchMemory)))
	}
	b.size += size
	b.Events = append(b.Events, Event{Time: e.Time, Applied: b.copy(e.Applied), Deleted: b.copy(e.Deleted)})
}

func (b *Batch) copy(objs []Object) []Object {
	if len(objs) == 0 {
		return nil
	}
	first := len(b.objects)
	for _, obj := range objs {
		start := len(b.buf)
		b.buf = append(b.buf, obj.raw...)
		obj.raw = b.buf[start:len(b.buf):len(b.buf)]
		b.objects = append(b.objects, obj)
	}
	return b.objects[first:len(b.objects):len(b.objects)]
}

// Size returns the number of bytes of manifests.
func (b *Batch) Size() int { return b.size }

// Reset removes all events. It releases the memory if it is larger than maxBatchMemory.
func (b *Batch) Reset() {
	if cap(b.buf) > maxBatchMemory {
		*b = Batch{}
	}
	b.Events, b.buf, b.objects, b.size = b.Events[:0], b.buf[:0], b.objects[:0], 0
}

// maxBatchMemory is the maximum size of the memory that a Batch keeps for reuse.
const maxBatchMemory = 1 << 20
