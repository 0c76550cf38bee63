package timeline

import (
	"errors"
	"fmt"
	"io"

	"simkube.io/simkube/trace"
)

// largeEvent is from how many bytes on an object is not read with the whole event. The first event of a trace holds everything that
// existed; it may have hundreds of megabytes.
const largeEvent = 256 << 10

// ObjectManifest reads the object in a place. It must not be changed; it stays valid.
func (f *File) ObjectManifest(p Place) (*trace.Object, error) {
	key, span, ok := f.locate(p)
	if !ok {
		return nil, fmt.Errorf("%s: event %d, object %d: %w", f.path, p.Event, p.Index, ErrNotIndexed)
	}
	obj, ok := f.readAlone(p, key, span)
	if !ok {
		e, err := f.Event(p.Event)
		if err != nil {
			return nil, err
		}
		obj = objectIn(e, p)
	}
	if !key.of(obj) {
		return nil, fmt.Errorf("%s: event %d, object %d: %w", f.path, p.Event, p.Index, ErrChanged)
	}
	return obj, nil
}

// objectSpan is where an object's bytes are.
type objectSpan struct {
	event EventInfo
	// start and end are counted from the first object of its list.
	start, end uint32
	// applied is the length of all applied objects of the event.
	applied uint32
}

// locate gives what the index knows of a place.
func (f *File) locate(p Place) (key Key, span objectSpan, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	x := &f.index
	i, ok := x.occurrenceAt(p)
	if !ok {
		return Key{}, objectSpan{}, false
	}
	o := x.occurrences.at(i)
	span = objectSpan{event: x.eventInfo(p.Event), end: o.end}
	if p.Index > 0 {
		span.start = x.occurrences.at(i - 1).end
	}
	if n := span.event.Applied; n > 0 {
		first, _ := x.occurrencesOf(p.Event)
		span.applied = x.occurrences.at(first + n - 1).end
	}
	return x.keyOf(o.object()), span, true
}

// readAlone reads an object of a large event without the rest of it. ok is false where that is not worth it or does not work, for whatever
// reason; then it is in the event.
func (f *File) readAlone(p Place, key Key, span objectSpan) (obj *trace.Object, ok bool) {
	if span.event.Size < largeEvent || span.end == none || f.cache.has(p.Event) {
		return nil, false
	}
	at, ok := f.listStart(p, span)
	if !ok || at+int64(span.end) > span.event.Offset+span.event.Size {
		return nil, false
	}
	raw := make([]byte, span.end-span.start)
	if _, err := f.file.ReadAt(raw, at+int64(span.start)); err != nil {
		return nil, false
	}
	parsed, err := trace.ParseObject(raw)
	return &parsed, err == nil && key.of(&parsed)
}

// of tells whether an object is the one of the key.
func (k *Key) of(obj *trace.Object) bool {
	return k.GVK == obj.GVK() && k.Namespace == obj.Namespace() && k.Name == obj.Name()
}

// listStart gives where in the file the first object of a place's list begins, if the event is as they usually are: a map of its
// time, the applied objects and the deleted ones, in this order.
func (f *File) listStart(p Place, span objectSpan) (at int64, ok bool) {
	after, ok := f.behindKey(span.event.Offset, "applied_objs")
	if !ok || !p.Deleted {
		return after, ok
	}
	return f.behindKey(after+int64(span.applied), "deleted_objs")
}

// headBytes is how much is read to find a key of an event: more than what stands in front of it.
const headBytes = 256

// behindKey gives where the elements of the array begin that has a key, which comes soon.
func (f *File) behindKey(at int64, key string) (int64, bool) {
	head := make([]byte, headBytes)
	n, err := f.file.ReadAt(head, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, false
	}
	for v := (values{src: head[:n]}); v.next(); {
		if v.kind == stringValue && string(v.data) == key {
			isArray := v.next() && v.array()
			return at + int64(n-len(v.src)), isArray
		}
	}
	return 0, false
}
