package timeline

import (
	"sort"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// ObjectID stands for a distinct object of a File: a kind, a namespace and a name. They are numbered from 0 in the order in which the
// objects first occur.
type ObjectID uint32

// Key is which object it is.
type Key struct {
	GVK             schema.GroupVersionKind
	Namespace, Name string
}

// String gives the object for a reader: "apps/v1.Deployment default/web".
func (k Key) String() string {
	return trace.FormatGVK(k.GVK) + " " + trace.NamespacedName(k.Namespace, k.Name)
}

// Change is what an event does to an object.
type Change uint8

const (
	// Unchanged is an object that is applied with the manifest it has already, byte by byte.
	Unchanged Change = iota
	// Created is an object that is applied and was not there: it is the first time, or it was deleted before.
	Created
	// Changed is an object that is applied with another manifest than before.
	Changed
	// Deleted is an object in the list of the deleted.
	Deleted
)

// String gives a word for it: "unchanged", "created", "changed" or "deleted".
func (c Change) String() string {
	return [...]string{"unchanged", "created", "changed", "deleted"}[c]
}

// Place is where an object stands in a trace.
type Place struct {
	// Event is the number of the event.
	Event int
	// Index is the object's place in the event's list of applied objects, or of deleted ones.
	Index   int
	Deleted bool
}

// Compare orders places as they stand in the trace, applied objects before deleted ones: it is negative when p comes before q.
func (p Place) Compare(q Place) int {
	switch {
	case p.Event != q.Event:
		return p.Event - q.Event
	case p.Deleted != q.Deleted:
		if q.Deleted {
			return -1
		}
		return 1
	}
	return p.Index - q.Index
}

// ObjectInfo is an object in an event, as far as the index knows it.
type ObjectInfo struct {
	Object ObjectID
	Place  Place
	Change Change
}

// Objects gives the objects of an event, first the applied ones, then the deleted ones. It does not read the file. It is empty for
// an event that is not indexed.
func (f *File) Objects(event int) []ObjectInfo {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if event < 0 || event >= f.index.events.len() {
		return nil
	}
	first, end := f.index.occurrencesOf(event)
	infos := make([]ObjectInfo, 0, end-first)
	for i := first; i < end; i++ {
		infos = append(infos, f.index.info(event, i))
	}
	return infos
}

// ObjectAt gives the object in a place; ok is false where the index has none.
func (f *File) ObjectAt(p Place) (info ObjectInfo, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	i, ok := f.index.occurrenceAt(p)
	if !ok {
		return ObjectInfo{}, false
	}
	return f.index.info(p.Event, i), true
}

// Object tells which object an ID stands for; the zero Key for an ID that this File has not given.
func (f *File) Object(id ObjectID) Key {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if int(id) >= f.index.objects.len() {
		return Key{}
	}
	return f.index.keyOf(id)
}

// Find gives the ID of an object; ok is false when it did not occur so far.
func (f *File) Find(key Key) (id ObjectID, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.index.lookup(key)
}

// Distinct gives how many distinct objects are indexed. Their IDs are the numbers below it.
func (f *File) Distinct() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.index.objects.len()
}

// Previous gives the place where the object in a place occurs before that, applied or deleted.
func (f *File) Previous(p Place) (Place, bool) {
	return f.neighbour(p, func(o *occurrence) uint32 { return o.previous })
}

// Next gives the place where the object in a place occurs after that, applied or deleted, as far as is indexed.
func (f *File) Next(p Place) (Place, bool) {
	return f.neighbour(p, func(o *occurrence) uint32 { return o.next })
}

func (f *File) neighbour(p Place, which func(*occurrence) uint32) (Place, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	i, ok := f.index.occurrenceAt(p)
	if !ok {
		return Place{}, false
	}
	other := which(f.index.occurrences.at(i))
	if other == none {
		return Place{}, false
	}
	return f.index.place(int(other)), true
}

// History gives all places where an object occurs, in order, as far as is indexed.
func (f *File) History(id ObjectID) []Place {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if int(id) >= f.index.objects.len() {
		return nil
	}
	o := f.index.objects.at(int(id))
	places := make([]Place, 0, o.versions)
	for i := o.first; i != none; i = f.index.occurrences.at(int(i)).next {
		places = append(places, f.index.place(int(i)))
	}
	return places
}

// Versions gives how often an object occurs, as far as is indexed.
func (f *File) Versions(id ObjectID) int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if int(id) >= f.index.objects.len() {
		return 0
	}
	return int(f.index.objects.at(int(id)).versions)
}

// occurrencesOf gives the first occurrence of an event, and the one after its last.
func (x *index) occurrencesOf(event int) (first, end int) {
	end = x.occurrences.len()
	if event+1 < x.events.len() {
		end = int(x.events.at(event + 1).first)
	}
	return int(x.events.at(event).first), end
}

// occurrenceAt gives the number of the occurrence in a place.
func (x *index) occurrenceAt(p Place) (int, bool) {
	if p.Event < 0 || p.Event >= x.events.len() || p.Index < 0 {
		return 0, false
	}
	first, end := x.occurrencesOf(p.Event)
	deleted := first + int(x.events.at(p.Event).applied)
	if p.Deleted {
		first = deleted
	} else {
		end = deleted
	}
	return first + p.Index, p.Index < end-first
}

// place gives the place of an occurrence.
func (x *index) place(i int) Place {
	event := sort.Search(x.events.len(), func(e int) bool { return int(x.events.at(e).first) > i }) - 1
	return x.placeIn(event, i)
}

func (x *index) placeIn(event, i int) Place {
	e := x.events.at(event)
	p := Place{Event: event, Index: i - int(e.first)}
	if p.Index >= int(e.applied) {
		p.Index -= int(e.applied)
		p.Deleted = true
	}
	return p
}

func (x *index) info(event, i int) ObjectInfo {
	o := x.occurrences.at(i)
	return ObjectInfo{Object: o.object(), Place: x.placeIn(event, i), Change: o.change()}
}

func (x *index) keyOf(id ObjectID) Key {
	o := x.objects.at(int(id))
	return Key{GVK: x.kinds[o.kind].gvk, Namespace: x.namespaces[o.namespace].name, Name: o.name}
}

func (x *index) lookup(key Key) (ObjectID, bool) {
	kind, ok := x.kindID(&key.GVK)
	if !ok {
		return 0, false
	}
	namespace, ok := x.nsIDs[key.Namespace]
	if !ok {
		return 0, false
	}
	id := x.find(kind, namespace, key.Name, keyHash(kind, namespace, key.Name))
	return ObjectID(id), id != none
}
