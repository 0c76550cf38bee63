// Package order finds out in which order the objects of one second of a trace were applied and
// deleted.
//
// An event of a trace has the objects that were applied and those that were deleted within a
// second. If it has both for one object, the object was created or changed and then deleted, or
// deleted and then created again. In traces of our tracer, the times in the extension say which.
// In other traces, it follows from what existed before, from later events, from the lifecycles of
// pods or from the index. Otherwise the applied objects are assumed to come first.
package order

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Turn is the turn of one object of an event, among all objects of the event with the same kind,
// namespace and name.
type Turn struct {
	// Object is its index among the applied objects, followed by the deleted ones.
	Object int
	// After is when it is due, in trace time since the event.
	After time.Duration
	// Guessed reports whether the trace does not say in which order the objects came.
	Guessed bool
}

// Orders has the turns of the objects of a trace that were both applied and deleted within one
// second. The nil Orders has none.
type Orders struct {
	events map[int][]Turn
}

// Of returns the turns of the event with an index, in order. Objects without one have no other
// object of their name in the same second.
func (o *Orders) Of(event int) []Turn {
	if o == nil {
		return nil
	}
	return o.events[event]
}

// Guess returns the turns of an event about which nothing else is known.
func Guess(event *trace.Event) []Turn {
	if len(event.Applied) == 0 || len(event.Deleted) == 0 {
		return nil
	}
	s := NewSurvey()
	s.Add(event)
	turns := s.Orders(&trace.Tail{}).Of(0)
	for i := range turns {
		turns[i].Guessed = true
	}
	return turns
}

// outcome is what is known about a contest.
type outcome int

const (
	unknown outcome = iota
	applyFirst
	deleteFirst
)

// contest is an object that one event both applies and deletes.
type contest struct {
	event           int
	time            int64
	gvk             schema.GroupVersionKind
	namespace, name string
	applied         []int
	deleted         []int
	// same reports whether the object was applied as it was before.
	same    bool
	outcome outcome
}

// sequence returns the objects of the contest in order.
func (c *contest) sequence(deletedFirst bool) []int {
	applied, deleted := c.applied, c.deleted
	var order []int
	if !deletedFirst {
		// Changes come before the first deletion.
		changes := max(0, len(applied)-len(deleted))
		order, applied = slices.Clone(applied[:changes]), applied[changes:]
	}
	turns := [2][]int{applied, deleted}
	next := 0
	if deletedFirst || len(applied) == 0 {
		next = 1
	}
	for len(turns[0])+len(turns[1]) > 0 {
		if len(turns[next]) > 0 {
			order = append(order, turns[next][0])
			turns[next] = turns[next][1:]
		}
		next = 1 - next
	}
	return order
}

// operation is an object that an event applies or deletes.
type operation struct {
	key           uint64
	event, object int
	deletes       bool
}

// group has what happened to one object within a second, in the order of the events. It is applied
// and deleted at least once.
type group []operation

// turns adds the turns of a group to those of the events. Contests are by event and key.
func (g group) turns(x *trace.Extension, contests map[[2]uint64]*contest, events map[int][]Turn) {
	if g.timed(x) {
		slices.SortStableFunc(g, func(a, b operation) int {
			return cmp.Or(cmp.Compare(a.event, b.event), cmp.Compare(millis(x, a), millis(x, b)))
		})
		first := millis(x, g[0])
		for _, op := range g {
			events[op.event] = append(events[op.event], Turn{Object: op.object, After: max(0, millis(x, op)-first)})
		}
		return
	}
	var after time.Duration
	exists := false // what was applied existed for a part of the second
	for len(g) > 0 {
		n := 1
		for n < len(g) && g[n].event == g[0].event {
			n++
		}
		part, guessed := g[:n], false
		if c := contests[[2]uint64{uint64(g[0].event), g[0].key}]; c != nil {
			part, guessed = part.sorted(c), c.outcome == unknown
		}
		for _, op := range part {
			if op.deletes && exists {
				after = min(after+lived, time.Second-time.Millisecond)
			}
			exists = !op.deletes
			events[op.event] = append(events[op.event], Turn{Object: op.object, After: after, Guessed: guessed})
		}
		g = g[n:]
	}
}

// lived is how long an object existed that was applied and deleted within a second, if no times
// are known.
const lived = 500 * time.Millisecond

func (g group) sorted(c *contest) group {
	byObject := make(map[int]operation, len(g))
	for _, op := range g {
		byObject[op.object] = op
	}
	sorted := make(group, 0, len(g))
	for _, object := range c.sequence(c.outcome == deleteFirst) {
		sorted = append(sorted, byObject[object])
	}
	return sorted
}

// timed reports whether the extension has the times of all operations.
func (g group) timed(x *trace.Extension) bool {
	return x != nil && !slices.ContainsFunc(g, func(op operation) bool {
		return op.event >= len(x.EventTimes) || op.object >= len(x.EventTimes[op.event])
	})
}

func millis(x *trace.Extension, op operation) time.Duration {
	return time.Duration(x.EventTimes[op.event][op.object]) * time.Millisecond
}
