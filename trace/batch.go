package trace

// Batch holds events that are to outlive the Reader's next one, in memory that is used again. The zero value is ready to use.
type Batch struct {
	// Events are those that were added. They are valid until Reset.
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
	// Where the memory has to grow, it does so once for the whole event, which may be large; what was added before stays where it is.
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

// Size gives how many bytes of manifests there are.
func (b *Batch) Size() int { return b.size }

// Reset forgets the events, and gives memory back that only an unusual one needed.
func (b *Batch) Reset() {
	if cap(b.buf) > maxBatchMemory {
		*b = Batch{}
	}
	b.Events, b.buf, b.objects, b.size = b.Events[:0], b.buf[:0], b.objects[:0], 0
}

// maxBatchMemory is how much memory a Batch keeps to be used again.
const maxBatchMemory = 1 << 20
