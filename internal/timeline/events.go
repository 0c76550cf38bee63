package timeline

import (
	"errors"
	"fmt"
	"io"

	"simkube.io/simkube/trace"
)

// ErrChanged is returned when the file does not have any more what was indexed of it: somebody writes it.
var ErrChanged = errors.New("the file changed since it was opened; open it again")

// ErrNotIndexed is returned when an event is asked for that there is not, or that the index has not come to.
var ErrNotIndexed = errors.New("the event is not indexed")

// EventInfo is an event, as far as the index knows it.
type EventInfo struct {
	// Time is in unix seconds.
	Time int64
	// Applied and Deleted are how many objects it has.
	Applied, Deleted int
	// Changes is how many of them it created, changed or deleted.
	Changes int
	// Offset is where in the file it begins, and Size how many bytes it has.
	Offset, Size int64
}

// Info tells about an event without reading the file; the zero EventInfo for one that is not indexed.
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

// Event reads an event. It may be one that others got too: neither it nor its objects may be changed. It stays valid.
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

// parse makes an event of its bytes, which it keeps, and compares it with the index.
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
