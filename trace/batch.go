package trace

// Batch holds events that are to outlive the Reader's next one, in memory that is used again. The zero value is ready to use.
type Batch struct {
	// Events are those that were added. They are valid until Reset.
	Events  []Event
	buf     []byte
	objects []Object
}

// Add adds a copy of an event.
func (b *Batch) Add(e *Event) {
	// Where the memory has to grow, what was added before stays where it is.
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
func (b *Batch) Size() int { return len(b.buf) }

// Reset forgets the events.
func (b *Batch) Reset() { b.Events, b.buf, b.objects = b.Events[:0], b.buf[:0], b.objects[:0] }
