package timeline

import (
	"context"
	"iter"

	"simkube.io/simkube/trace"
)

// Selection looks for the objects that satisfy a filter, from one event on, in small steps. It is not safe for concurrent use.
type Selection struct {
	file   *File
	filter Filter
	next   int
	err    error
	// keys has for each distinct object whether it satisfies the filter's kinds, namespaces and name, as far as it was asked.
	keys []bool
	text *textSearch
	win  window
	// found is memory for the places in one event.
	found []Place
}

// Select begins to look for the objects that satisfy a filter, from one event on. The error is that of [Filter.Check].
func (f *File) Select(filter Filter, from int) (*Selection, error) {
	if err := filter.Check(); err != nil {
		return nil, err
	}
	s := &Selection{file: f, filter: filter, next: max(0, from), win: window{file: f.file}}
	if filter.Text != "" {
		s.text = newTextSearch(filter.Text)
	}
	return s, nil
}

// Position gives the event that is looked at next.
func (s *Selection) Position() int { return s.next }

// A step ends after so many places, events or bytes of the file, so that it takes few milliseconds.
const (
	stepPlaces = 1 << 12
	stepEvents = 1 << 15
	stepBytes  = 4 << 20
)

// Next looks on for a few milliseconds and gives the places found, in order; there may be none of them. more is false when there
// is nothing left to look at: all that is indexed was looked at, and the index is done. While it is not, more is true also when the
// index has to grow first: see [File.Changed]. After an error it gives that error for ever; an error of ctx is not kept.
func (s *Selection) Next(ctx context.Context) (places []Place, more bool, err error) {
	if s.err != nil {
		return nil, false, s.err
	}
	places, err = s.step(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.err = err
		}
		return places, false, err
	}
	p := s.file.Progress()
	return places, !p.Done || s.next < p.Events, nil
}

// All gives every place that is left, and waits for the index to grow where it has to. An error is the last thing given.
func (s *Selection) All(ctx context.Context) iter.Seq2[Place, error] {
	return func(yield func(Place, error) bool) {
		for {
			before := s.next
			places, more, err := s.Next(ctx)
			for _, p := range places {
				if !yield(p, nil) {
					return
				}
			}
			if err == nil && more && s.next == before {
				err = s.file.grown(ctx, before)
			}
			if err != nil {
				yield(Place{}, err)
			}
			if err != nil || !more {
				return
			}
		}
	}
}

// step looks on. When ctx ends it gives what was found up to there.
func (s *Selection) step(ctx context.Context) (places []Place, err error) {
	end := min(s.file.Len(), s.next+stepEvents)
	var read int64
	for s.next < end && len(places) < stepPlaces && read < stepBytes {
		if err := ctx.Err(); err != nil {
			return places, err
		}
		candidates, info := s.candidates(s.next)
		if len(candidates) > 0 && !s.filter.indexOnly() {
			read += info.Size
			if candidates, err = s.look(candidates, info); err != nil {
				return places, err
			}
		}
		places = append(places, candidates...)
		s.next++
	}
	return places, nil
}

// candidates gives the places in an event that satisfy the filter as far as the index can tell. They are valid until the next call.
func (s *Selection) candidates(event int) (places []Place, info EventInfo) {
	places = s.found[:0]
	x := &s.file.index
	s.file.mu.RLock()
	defer s.file.mu.RUnlock()
	first, end := x.occurrencesOf(event)
	for i := first; i < end; i++ {
		o := x.occurrences.at(i)
		if s.filter.matchesChange(o.change()) && s.wanted(o.object()) {
			places = append(places, x.placeIn(event, i))
		}
	}
	s.found = places
	return places, x.eventInfo(event)
}

// wanted tells whether an object satisfies the filter's kinds, namespaces and name. It is called with the index locked.
func (s *Selection) wanted(id ObjectID) bool {
	if !s.filter.byKey() {
		return true
	}
	for len(s.keys) <= int(id) {
		key := s.file.index.keyOf(ObjectID(len(s.keys)))
		s.keys = append(s.keys, s.filter.matchesKey(&key))
	}
	return s.keys[id]
}

// look reads an event and leaves of the places in it those that satisfy the whole filter.
func (s *Selection) look(places []Place, info EventInfo) ([]Place, error) {
	event := places[0].Event
	raw, err := s.win.read(info.Offset, info.Size)
	if err != nil {
		return nil, s.file.readError(event, err)
	}
	if s.text != nil && !s.text.mayContain(raw) {
		return nil, nil
	}
	e, err := s.file.parse(event, info, raw)
	if err != nil {
		return nil, err
	}
	kept := places[:0]
	for _, p := range places {
		obj := objectIn(e, p)
		ok := s.text == nil || s.text.in(obj.Raw())
		if ok && s.filter.Match != nil {
			if ok, err = s.filter.Match(e.Time, obj); err != nil {
				return nil, err
			}
		}
		if ok {
			kept = append(kept, p)
		}
	}
	return kept, nil
}

func objectIn(e *trace.Event, p Place) *trace.Object {
	if p.Deleted {
		return &e.Deleted[p.Index]
	}
	return &e.Applied[p.Index]
}
