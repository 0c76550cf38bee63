package timeline

import (
	"errors"
	"fmt"
	"io"

	"simkube.io/simkube/trace"
)

// largeEvent is the size in bytes from which an object is read without the rest of its event. The
// first event of a trace holds everything that existed, and may have hundreds of megabytes.
const largeEvent = 256 << 10

// ObjectManifest reads the object at a place. It must not be changed; it stays valid after further
// calls.
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
	if !key.matches(obj) {
		return nil, fmt.Errorf("%s: event %d, object %d: %w", f.path, p.Event, p.Index, ErrChanged)
	}
	return obj, nil
}

// objectSpan is the position of an object's bytes.
type objectSpan struct {
	event EventInfo
	// start and end are offsets from the first object of its list.
	start, end uint32
	// applied is the length of all applied objects of the event.
	applied uint32
}

// locate returns what the index has about a place.
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

// readAlone reads an object of a large event without the rest of it. If ok is false, because the
// event is small or for any other reason, the object must be read with the event.
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
	return &parsed, err == nil && key.matches(&parsed)
}

// matches reports whether an object has the key.
func (k *Key) matches(obj *trace.Object) bool {
	return k.GVK == obj.GVK() && k.Namespace == obj.Namespace() && k.Name == obj.Name()
}

// listStart returns the offset in the file of the first object of a place's list. It assumes the
// usual form of an event: a map of its time, the applied objects and the deleted ones, in this
// order.
func (f *File) listStart(p Place, span objectSpan) (at int64, ok bool) {
	after, ok := f.afterKey(span.event.Offset, "applied_objs")
	if !ok || !p.Deleted {
		return after, ok
	}
	return f.afterKey(after+int64(span.applied), "deleted_objs")
}

// headBytes is the number of bytes read to find a key of an event: more than what precedes the key.
const headBytes = 256

// afterKey returns the offset of the first element of the array with the key, which must follow
// within headBytes.
func (f *File) afterKey(at int64, key string) (int64, bool) {
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
