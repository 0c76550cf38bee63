package timeline

import (
	"sort"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// ObjectID identifies a distinct object of a File: a kind, a namespace and a name. IDs are numbered
// from 0 in the order in which the objects first occur.
type ObjectID uint32

// Key is the identity of an object.
type Key struct {
	GVK             schema.GroupVersionKind
	Namespace, Name string
}

// String returns the key in the form "apps/v1.Deployment default/web".
func (k Key) String() string {
	return trace.FormatGVK(k.GVK) + " " + trace.NamespacedName(k.Namespace, k.Name)
}

// Change is what an event does to an object.
type Change uint8

const (
	// Unchanged means that the object is applied with the manifest that it already has, byte by byte.
	Unchanged Change = iota
	// Created means that the object is applied and did not exist before.
	Created
	// Changed means that the object is applied with another manifest than before.
	Changed
	// Deleted means that the object is in the list of deleted objects.
	Deleted
)

// String returns "unchanged", "created", "changed" or "deleted".
func (c Change) String() string {
	return [...]string{"unchanged", "created", "changed", "deleted"}[c]
}

// Place is the position of an object in a trace.
type Place struct {
	// Event is the number of the event.
	Event int
	// Index is the object's index in the event's list of applied objects, or in the list of deleted
	// objects if Deleted is set.
	Index   int
	Deleted bool
}

// Compare orders places by their position in the trace, applied objects before deleted ones: it is
// negative if p comes before q.
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

// ObjectInfo is what the index has about an object in an event.
type ObjectInfo struct {
	Object ObjectID
	Place  Place
	Change Change
}

// Objects returns the objects of an event, first the applied, then the deleted ones. It does not
// read the file. It is empty if the event is not indexed.
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

// ObjectAt returns the object at a place; ok is false if the index has none.
func (f *File) ObjectAt(p Place) (info ObjectInfo, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	i, ok := f.index.occurrenceAt(p)
	if !ok {
		return ObjectInfo{}, false
	}
	return f.index.info(p.Event, i), true
}

// Object returns the key of an ID; it is the zero Key if no object has the ID.
func (f *File) Object(id ObjectID) Key {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if int(id) >= f.index.objects.len() {
		return Key{}
	}
	return f.index.keyOf(id)
}

// Find returns the ID of an object; ok is false if the object has not occurred so far.
func (f *File) Find(key Key) (id ObjectID, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.index.lookup(key)
}

// Distinct returns the number of distinct objects that are indexed. Their IDs are the numbers below
// it.
func (f *File) Distinct() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.index.objects.len()
}

// Previous returns the previous place where the object at a place occurs, applied or deleted.
func (f *File) Previous(p Place) (Place, bool) {
	return f.neighbour(p, func(o *occurrence) uint32 { return o.previous })
}

// Next returns the next place where the object at a place occurs, applied or deleted, as far as
// indexed.
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

// History returns all places where an object occurs, in order, as far as indexed.
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

// Versions returns how often an object occurs, as far as indexed.
func (f *File) Versions(id ObjectID) int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if int(id) >= f.index.objects.len() {
		return 0
	}
	return int(f.index.objects.at(int(id)).versions)
}

// occurrencesOf returns the first occurrence of an event, and the one after its last.
func (x *index) occurrencesOf(event int) (first, end int) {
	end = x.occurrences.len()
	if event+1 < x.events.len() {
		end = int(x.events.at(event + 1).first)
	}
	return int(x.events.at(event).first), end
}

// occurrenceAt returns the number of the occurrence at a place.
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

// place returns the place of an occurrence.
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
