package timeline

import (
	"math"
	"strings"

	"github.com/cespare/xxhash/v2"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// index has the offset and contents of the events that were read.
type index struct {
	events      column[eventRecord]
	occurrences column[occurrence]
	objects     column[objectRecord]
	table       table
	kinds       []kindRecord
	kindIDs     map[schema.GroupVersionKind]uint32
	namespaces  []namespaceRecord
	nsIDs       map[string]uint32
	// end is the offset of the end of the last event.
	end int64
	// earliest and latest are the minimum and maximum time of the events.
	earliest, latest int64
	// unordered is whether an event is earlier than the one before it, as after a recorder's clock was
	// set back.
	unordered bool
	// changes is the number of objects that were created, changed and deleted.
	changes uint32
}

// eventRecord is an event. Its bytes and its occurrences end where those of the next event begin.
type eventRecord struct {
	offset, time int64
	// first is the number of its first occurrence.
	first uint32
	// applied is the number of its occurrences in the list of applied objects; the others are in the
	// list of deleted objects.
	applied uint32
	// changes is the number of objects that were created, changed and deleted up to and including this
	// event.
	changes uint32
}

// occurrence is an object in an event.
type occurrence struct {
	// what is the object's ID, with its Change in the highest bits.
	what uint32
	// previous and next are the neighbouring occurrences of the same object, or none.
	previous, next uint32
	// end is the offset of its end from the first object of its list; none if that is too large.
	end uint32
}

const (
	none       = math.MaxUint32
	changeBits = 2
	idBits     = 32 - changeBits
	idMask     = 1<<idBits - 1
)

func (o *occurrence) object() ObjectID { return ObjectID(o.what & idMask) }
func (o *occurrence) change() Change   { return Change(o.what >> idBits) }

// content is the hash of its last manifest.
type objectRecord struct {
	name string
	// content is the hash of its last manifest.
	content         uint64
	kind, namespace uint32
	first, last     uint32
	versions        uint32
	alive           bool
}

type kindRecord struct {
	gvk               schema.GroupVersionKind
	objects, versions int
}

type namespaceRecord struct {
	name              string
	objects, versions int
}

func newIndex(offset int64) index {
	return index{end: offset, kindIDs: map[schema.GroupVersionKind]uint32{}, nsIDs: map[string]uint32{}}
}

// add adds an event that ends at offset end. contents are the hashes of its applied manifests.
func (x *index) add(e *trace.Event, contents []uint64, end int64) {
	x.addTime(e.Time)
	x.events.add(eventRecord{offset: x.end, time: e.Time, first: uint32(x.occurrences.len()), applied: uint32(len(e.Applied))})
	list := 0
	for i := range e.Applied {
		id := x.intern(&e.Applied[i])
		list += len(e.Applied[i].Raw())
		x.addOccurrence(id, x.objects.at(int(id)).apply(contents[i]), list)
	}
	list = 0
	for i := range e.Deleted {
		id := x.intern(&e.Deleted[i])
		list += len(e.Deleted[i].Raw())
		x.objects.at(int(id)).alive = false
		x.addOccurrence(id, Deleted, list)
	}
	x.events.at(x.events.len() - 1).changes = x.changes
	x.end = end
}

// addTime updates the earliest and latest times for an event.
func (x *index) addTime(t int64) {
	if x.events.len() == 0 {
		x.earliest, x.latest = t, t
		return
	}
	if t < x.events.at(x.events.len()-1).time {
		x.unordered = true
	}
	x.earliest, x.latest = min(x.earliest, t), max(x.latest, t)
}

// apply sets the object's manifest and returns how that changes it.
func (o *objectRecord) apply(content uint64) Change {
	alive, same := o.alive, o.content == content
	o.alive, o.content = true, content
	switch {
	case !alive:
		return Created
	case same:
		return Unchanged
	}
	return Changed
}

// addOccurrence adds an occurrence of an object that ends at offset end of its list.
func (x *index) addOccurrence(id ObjectID, change Change, end int) {
	o := x.objects.at(int(id))
	this := uint32(x.occurrences.len())
	x.occurrences.add(occurrence{what: uint32(id) | uint32(change)<<idBits, previous: o.last, next: none, end: uint32(min(end, none))})
	if o.last == none {
		o.first = this
	} else {
		x.occurrences.at(int(o.last)).next = this
	}
	o.last = this
	o.versions++
	x.kinds[o.kind].versions++
	x.namespaces[o.namespace].versions++
	if change != Unchanged {
		x.changes++
	}
}

// intern returns the ID of an object. It allocates memory only for a new object: only then are
// namespace and name copied.
func (x *index) intern(obj *trace.Object) ObjectID {
	gvk := obj.GVK()
	kind, ok := x.kindID(&gvk)
	if !ok {
		kind = x.addKind(gvk)
	}
	namespace, ok := x.nsIDs[obj.Namespace()]
	if !ok {
		namespace = x.addNamespace(obj.Namespace())
	}
	name := obj.Name()
	key := keyHash(kind, namespace, name)
	if id := x.find(kind, namespace, name, key); id != none {
		return ObjectID(id)
	}
	id := uint32(x.objects.len())
	x.objects.add(objectRecord{name: strings.Clone(name), kind: kind, namespace: namespace, first: none, last: none})
	x.kinds[kind].objects++
	x.namespaces[namespace].objects++
	x.table.put(key, id)
	return ObjectID(id)
}

// find returns the number of an object, or none. key is its hash.
func (x *index) find(kind, namespace uint32, name string, key uint32) uint32 {
	for id := range x.table.candidates(key) {
		if o := x.objects.at(int(id)); o.kind == kind && o.namespace == namespace && o.name == name {
			return id
		}
	}
	return none
}

func keyHash(kind, namespace uint32, name string) uint32 {
	const odd1, odd2 = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f
	hash := xxhash.Sum64String(name) ^ uint64(kind+1)*odd1 ^ uint64(namespace+1)*odd2
	return uint32(hash ^ hash>>32)
}

// kindID returns the number of a kind. It compares with the first ones before it uses the map,
// since a trace has few kinds.
func (x *index) kindID(gvk *schema.GroupVersionKind) (id uint32, ok bool) {
	const few = 8
	for i := range min(few, len(x.kinds)) {
		if x.kinds[i].gvk == *gvk {
			return uint32(i), true
		}
	}
	id, ok = x.kindIDs[*gvk]
	return id, ok
}

func (x *index) addKind(gvk schema.GroupVersionKind) uint32 {
	id := uint32(len(x.kinds))
	x.kinds = append(x.kinds, kindRecord{gvk: gvk})
	x.kindIDs[gvk] = id
	return id
}

func (x *index) addNamespace(name string) uint32 {
	id := uint32(len(x.namespaces))
	x.namespaces = append(x.namespaces, namespaceRecord{name: name})
	x.nsIDs[name] = id
	return id
}
