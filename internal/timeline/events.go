package timeline

import (
	"errors"
	"fmt"
	"io"

	"simkube.io/simkube/trace"
)

// ErrChanged is returned when the file no longer has the contents that were indexed, because it was
// written to.
var ErrChanged = errors.New("the file changed since it was opened; open it again")

// ErrNotIndexed is returned for an event that does not exist, or is not indexed yet.
var ErrNotIndexed = errors.New("the event is not indexed")

// EventInfo is what the index has about an event.
type EventInfo struct {
	// Time is in unix seconds.
	Time int64
	// Applied and Deleted are the numbers of its objects.
	Applied, Deleted int
	// Changes is the number of objects that it created, changed or deleted.
	Changes int
	// Offset is where the event begins in the file, and Size its length in bytes.
	Offset, Size int64
}

// Info returns what the index has about an event, without reading the file. It is the zero
// EventInfo if the event is not indexed.
func (f *File) Info(event int) EventInfo {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if event < 0 || event >= f.index.events.len() {
		return EventInfo{}
	}
	return f.index.eventInfo(event)
}

func (x *index) eventInfo(event int) EventInfo {
	e := x.events.at(event)
	first, end := x.occurrencesOf(event)
	info := EventInfo{
		Time: e.time, Applied: int(e.applied), Deleted: end - first - int(e.applied),
		Changes: int(e.changes), Offset: e.offset, Size: x.end - e.offset,
	}
	if event > 0 {
		info.Changes -= int(x.events.at(event - 1).changes)
	}
	if event+1 < x.events.len() {
		info.Size = x.events.at(event+1).offset - e.offset
	}
	return info
}

// Event reads an event. The event may be shared: neither it nor its objects may be changed. It
// stays valid after further calls.
func (f *File) Event(event int) (*trace.Event, error) {
	if e := f.cache.get(event); e != nil {
		return e, nil
	}
	f.mu.RLock()
	known := event >= 0 && event < f.index.events.len()
	var info EventInfo
	if known {
		info = f.index.eventInfo(event)
	}
	f.mu.RUnlock()
	if !known {
		return nil, fmt.Errorf("%s: event %d: %w", f.path, event, ErrNotIndexed)
	}
	raw := make([]byte, info.Size)
	if _, err := f.file.ReadAt(raw, info.Offset); err != nil {
		return nil, f.readError(event, err)
	}
	e, err := f.parse(event, info, raw)
	if err != nil {
		return nil, err
	}
	f.cache.put(event, e, info.Size)
	return e, nil
}

// parse parses the bytes of an event, which it retains, and compares the event with the index.
func (f *File) parse(event int, info EventInfo, raw []byte) (*trace.Event, error) {
	e, err := trace.ParseEvent(raw)
	if err != nil {
		// It was read without an error when it was indexed.
		return nil, fmt.Errorf("%s: event %d at byte %d: %w: %w", f.path, event, info.Offset, ErrChanged, err)
	}
	if e.Time != info.Time || len(e.Applied) != info.Applied || len(e.Deleted) != info.Deleted {
		return nil, fmt.Errorf("%s: event %d at byte %d: %w", f.path, event, info.Offset, ErrChanged)
	}
	return e, nil
}

func (f *File) readError(event int, err error) error {
	if errors.Is(err, io.EOF) {
		err = ErrChanged
	}
	return fmt.Errorf("%s: read event %d: %w", f.path, event, err)
}
