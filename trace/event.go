package trace

// Event holds the changes of one second: the objects that were created or changed, then those that
// were deleted. The first event of a trace holds everything that existed at its start.
type Event struct {
	// Time is in unix seconds.
	Time int64
	// Applied are whole manifests.
	Applied []Object
	// Deleted objects have only apiVersion, kind, metadata.name and metadata.namespace; in old files
	// they may be whole manifests.
	Deleted []Object
}

// ParseEvent parses the bytes of an event in a trace of version 2: the input between two values of
// [Reader.Offset]. It checks them as a Reader does. An error is a [*FormatError] with an offset and
// a path in the event. The event keeps raw, which must not be modified afterwards.
func ParseEvent(raw []byte) (*Event, error) {
	s := scanner{input: wholeInput(raw)}
	events := eventScanner{scanner: &s}
	if err := events.next(); err != nil {
		return nil, err
	}
	if s.pos != len(raw) {
		return nil, s.fail(s.pos, ErrTrailing, "%d bytes follow the event", len(raw)-s.pos)
	}
	return &events.event, nil
}

// Clone returns a copy that stays valid when the Reader it came from moves on.
func (e *Event) Clone() Event {
	size := 0
	for _, objs := range [][]Object{e.Applied, e.Deleted} {
		for i := range objs {
			size += len(objs[i].raw)
		}
	}
	all := make([]byte, 0, size) // one allocation for all of them
	clone := func(objs []Object) []Object {
		if len(objs) == 0 {
			return nil
		}
		c := make([]Object, len(objs))
		for i, obj := range objs {
			start := len(all)
			all = append(all, obj.raw...)
			obj.raw = all[start:len(all):len(all)]
			c[i] = obj
		}
		return c
	}
	return Event{Time: e.Time, Applied: clone(e.Applied), Deleted: clone(e.Deleted)}
}

// eventScanner reads events into memory that it reuses for the next event.
type eventScanner struct {
	*scanner
	kinds   kindCache
	event   Event
	applied []foundObject
	deleted []foundObject
}

// next reads the event at pos. Its objects are slices of the window.
func (s *eventScanner) next() *FormatError {
	var hasTime, hasApplied, hasDeleted bool
	start := s.pos
	s.applied, s.deleted = s.applied[:0], s.deleted[:0]
	err := s.fields(func(key []byte) (err *FormatError) {
		switch string(key) {
		case "ts":
			hasTime = true
			s.event.Time, err = s.seconds()
		case "applied_objs":
			hasApplied = true
			s.applied, err = s.objects(s.applied)
		case "deleted_objs":
			hasDeleted = true
			s.deleted, err = s.objects(s.deleted)
		default:
			err = s.skipAny(objectDepth - 1)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case !hasTime:
		return s.missing("ts", start)
	case !hasApplied:
		return s.missing("applied_objs", start)
	case !hasDeleted:
		return s.missing("deleted_objs", start)
	}
	// From here on, the window no longer moves.
	s.event.Applied = s.cut(s.event.Applied[:0], s.applied)
	s.event.Deleted = s.cut(s.event.Deleted[:0], s.deleted)
	return nil
}

func (s *eventScanner) objects(found []foundObject) ([]foundObject, *FormatError) {
	n, err := s.arrayHeader()
	if err != nil {
		return nil, err
	}
	for i := range n {
		obj, err := s.object(&s.kinds)
		if err != nil {
			return nil, err.at(i)
		}
		found = append(found, obj)
	}
	return found, nil
}

// cut slices the bytes of the found objects.
func (s *eventScanner) cut(objs []Object, found []foundObject) []Object {
	for _, f := range found {
		f.raw = s.buf[f.at.start:f.at.end:f.at.end]
		objs = append(objs, f.Object)
	}
	return objs
}
