package timeline

import (
	"context"
	"iter"

	"simkube.io/simkube/trace"
)

// Selection searches for the objects that match a filter, from an event on, in small steps. It is
// not safe for concurrent use.
type Selection struct {
	file   *File
	filter Filter
	next   int
	err    error
	// keys caches by distinct object whether it matches the filter's kinds, namespaces and name, as
	// far as needed so far.
	keys []bool
	text *textSearch
	win  window
	// found is a buffer for the places in one event.
	found []Place
}

// Select returns a selection of the objects that match a filter, from an event on. The error is
// that of [Filter.Check].
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

// Position returns the event that is searched next.
func (s *Selection) Position() int { return s.next }

// A step ends after so many places, events or bytes of the file, so that it takes a few
// milliseconds.
const (
	stepPlaces = 1 << 12
	stepEvents = 1 << 15
	stepBytes  = 4 << 20
)

// Next searches for a few milliseconds and returns the places found, in order; there may be none.
// more is false if everything indexed was searched and the index is done. While the index is not
// done, more is also true if the index must grow first: see [File.Changed]. After an error, all
// calls return that error, except an error of ctx.
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

// All returns an iterator over the remaining places. It waits for the index to grow if necessary.
// It ends after the first error.
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

// step searches for a few milliseconds. If ctx ends, it returns what it has found.
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
			if candidates, err = s.match(candidates, info); err != nil {
				return places, err
			}
		}
		places = append(places, candidates...)
		s.next++
	}
	return places, nil
}

// candidates returns the places in an event that match the filter as far as the index has the
// information. They are valid until the next call.
func (s *Selection) candidates(event int) (places []Place, info EventInfo) {
	places = s.found[:0]
	x := &s.file.index
	s.file.mu.RLock()
	defer s.file.mu.RUnlock()
	first, end := x.occurrencesOf(event)
	for i := first; i < end; i++ {
		o := x.occurrences.at(i)
		if s.filter.matchesChange(o.change()) && s.matchesKey(o.object()) {
			places = append(places, x.placeIn(event, i))
		}
	}
	s.found = places
	return places, x.eventInfo(event)
}

// matchesKey reports whether an object matches the filter's kinds, namespaces and name. The index
// must be locked.
func (s *Selection) matchesKey(id ObjectID) bool {
	if !s.filter.byKey() {
		return true
	}
	for len(s.keys) <= int(id) {
		key := s.file.index.keyOf(ObjectID(len(s.keys)))
		s.keys = append(s.keys, s.filter.matchesKey(&key))
	}
	return s.keys[id]
}

// match reads an event and returns those of its places that match the whole filter. It reuses
// places.
func (s *Selection) match(places []Place, info EventInfo) ([]Place, error) {
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
