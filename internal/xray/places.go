package xray

import (
	"cmp"
	"slices"
	"sort"

	"simkube.io/simkube/internal/timeline"
)

// places are objects in the trace, in order, found by a filter or a search. They take eight bytes
// each, because there may be millions.
type places struct {
	found []spot
	// events are their events, starts the positions in found where each event begins.
	events, starts []int32
}

// spot is a place: an event, and the number of the object, from 1 up for an applied one and from -1
// down for a deleted one. 0 is the event itself, before all its objects.
type spot struct{ event, index int32 }

func spotOf(p timeline.Place) spot {
	if p.Deleted {
		return spot{int32(p.Event), int32(^p.Index)}
	}
	return spot{int32(p.Event), int32(p.Index + 1)}
}

func (s spot) place() timeline.Place {
	if s.index < 0 {
		return timeline.Place{Event: int(s.event), Index: int(^s.index), Deleted: true}
	}
	return timeline.Place{Event: int(s.event), Index: int(s.index) - 1}
}

// compare orders spots as in the trace: the applied objects of an event first.
func (s spot) compare(other spot) int {
	if c := cmp.Compare(s.event, other.event); c != 0 {
		return c
	}
	if deleted := s.index < 0; deleted != (other.index < 0) {
		if deleted {
			return 1
		}
		return -1
	} else if deleted {
		return cmp.Compare(other.index, s.index)
	}
	return cmp.Compare(s.index, other.index)
}

// add appends a place, which must be after the others.
func (p *places) add(s spot) {
	if n := len(p.events); n == 0 || p.events[n-1] != s.event {
		p.events = append(p.events, s.event)
		p.starts = append(p.starts, int32(len(p.found)))
	}
	p.found = append(p.found, s)
}

// count returns the number of places in the nth event.
func (p *places) count(nth int) int {
	end := len(p.found)
	if nth+1 < len(p.starts) {
		end = int(p.starts[nth+1])
	}
	return end - int(p.starts[nth])
}

// place returns a place of the nth event.
func (p *places) place(nth, object int) timeline.Place {
	return p.found[int(p.starts[nth])+object].place()
}

// row returns the row of a place in a list of these.
func (p *places) row(place timeline.Place) (row, bool) {
	nth, ok := slices.BinarySearch(p.events, int32(place.Event))
	if !ok {
		return row{}, false
	}
	first := int(p.starts[nth])
	object, ok := slices.BinarySearchFunc(p.found[first:first+p.count(nth)], spotOf(place), spot.compare)
	return row{nth, object}, ok
}

// after returns the first place after a spot.
func (p *places) after(s spot) (spot, bool) {
	i := sort.Search(len(p.found), func(i int) bool { return p.found[i].compare(s) > 0 })
	if i == len(p.found) {
		return spot{}, false
	}
	return p.found[i], true
}

// ahead returns the last place before a spot.
func (p *places) ahead(s spot) (spot, bool) {
	i := sort.Search(len(p.found), func(i int) bool { return p.found[i].compare(s) >= 0 })
	if i == 0 {
		return spot{}, false
	}
	return p.found[i-1], true
}
