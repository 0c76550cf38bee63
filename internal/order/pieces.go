package order

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Empty reports whether no object was applied and deleted within one second.
func (o *Orders) Empty() bool { return o == nil || len(o.events) == 0 }

// Pieces returns an event as events in each of which the applied objects come before the deleted
// ones. Turns are those of the event. Objects without a turn are in the last piece.
func Pieces(event *trace.Event, turns []Turn) []trace.Event {
	if len(turns) == 0 {
		return []trace.Event{*event}
	}
	type place struct {
		piece, object int
		deleted       bool
	}
	type name struct {
		kind schema.GroupKind
		name string
	}
	last := map[name]place{}
	pieceOf := make(map[int]int, len(turns))
	count := 1
	for _, turn := range turns {
		object, deleted := objectAt(event, turn.Object)
		key := name{object.GVK().GroupKind(), object.NamespacedName()}
		now := place{object: turn.Object, deleted: deleted}
		if before, found := last[key]; found {
			now.piece = before.piece
			if before.deleted || !deleted && before.object > turn.Object {
				now.piece++
			}
		}
		last[key], pieceOf[turn.Object] = now, now.piece
		count = max(count, now.piece+1)
	}
	pieces := make([]trace.Event, count)
	at := func(object int) *trace.Event {
		if piece, found := pieceOf[object]; found {
			return &pieces[piece]
		}
		return &pieces[count-1]
	}
	for i := range pieces {
		pieces[i].Time = event.Time
	}
	for i := range event.Applied {
		piece := at(i)
		piece.Applied = append(piece.Applied, event.Applied[i])
	}
	for i := range event.Deleted {
		piece := at(len(event.Applied) + i)
		piece.Deleted = append(piece.Deleted, event.Deleted[i])
	}
	return pieces
}

// objectAt returns an object of an event, and whether it is among the deleted ones.
func objectAt(event *trace.Event, index int) (object *trace.Object, deleted bool) {
	if n := len(event.Applied); index >= n {
		return &event.Deleted[index-n], true
	}
	return &event.Applied[index], false
}
