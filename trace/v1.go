package trace

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// v1Length is the number of elements of a version 1 trace: config, events, index, lifecycles.
const v1Length = 4

// headerV1 reads up to the first event of a version 1 trace.
func (r *Reader) headerV1() *FormatError {
	s := &r.scan
	n, err := s.arrayHeader()
	if err != nil {
		return err
	}
	if n != v1Length {
		return s.fail(0, ErrVersion, "want a trace: a map (version 2) or an array of %d (version 1), got an array of %d", v1Length, n)
	}
	r.version = 1
	if r.config, err = s.config(); err != nil {
		return err.in(keyConfig)
	}
	if r.total, err = s.arrayHeader(); err != nil {
		return err.in(keyEvents)
	}
	r.inEvents = r.total > 0
	r.names = &nameKinds{tracked: r.config.TrackedObjects, objects: map[string][]namedObject{}}
	return nil
}

// tailV1 reads what follows the events of a version 1 trace.
func (r *Reader) tailV1() *FormatError {
	s := &r.scan
	s.release()
	r.tail.Index, r.tail.Lifecycles = Index{}, Lifecycles{}
	if err := s.entries(r.indexEntryV1); err != nil {
		return err.in(keyIndex)
	}
	if err := s.entries(r.lifecyclesEntryV1); err != nil {
		return err.in(keyLifecycles)
	}
	return nil
}

// indexEntryV1 reads one entry of the index: a name and a hash.
func (r *Reader) indexEntryV1() *FormatError {
	s := &r.scan
	s.release()
	name, err := s.text()
	if err != nil {
		return err
	}
	hash, _, err := s.number()
	if err != nil {
		return err.in(name)
	}
	gvk, why := r.names.withHash(name, hash)
	if why != "" {
		return s.fail(0, ErrOwner, "%s", why).in(name)
	}
	if _, ok := r.tail.Index[gvk][name]; ok {
		return s.duplicate(0, name)
	}
	r.tail.Index.set(gvk, name, hash)
	return nil
}

// lifecyclesEntryV1 reads the lifecycles of one owner, whose key is a name.
func (r *Reader) lifecyclesEntryV1() *FormatError {
	s := &r.scan
	s.release()
	name, err := s.text()
	if err != nil {
		return err
	}
	gvk, why := r.names.owner(name)
	if why != "" {
		return s.fail(0, ErrOwner, "%s", why).in(name)
	}
	owner := PodOwner{GVK: gvk, Name: name}
	if _, ok := r.tail.Lifecycles[owner]; ok {
		return s.duplicate(0, name)
	}
	if r.tail.Lifecycles[owner], err = s.podLifecycles(lifecycleV1); err != nil {
		return err.in(name)
	}
	return nil
}

// nameKinds holds the tracked kinds of the objects with a name, as found in the events. A version 1
// trace does not record them.
type nameKinds struct {
	tracked map[schema.GroupVersionKind]TrackedObject
	objects map[string][]namedObject
	name    []byte // buffer for looking up a name
}

// namedObject is an object with some name.
type namedObject struct {
	gvk *schema.GroupVersionKind
	// hash is the hash of its last manifest.
	hash uint64
}

// note records the objects of an event.
func (k *nameKinds) note(e *Event) {
	for i := range e.Applied {
		k.noteObject(&e.Applied[i], true)
	}
	for i := range e.Deleted {
		k.noteObject(&e.Deleted[i], false)
	}
}

func (k *nameKinds) noteObject(obj *Object, applied bool) {
	if _, ok := k.tracked[*obj.gvk]; !ok {
		return
	}
	k.name = k.name[:0]
	if namespace := obj.raw[obj.namespace.start:obj.namespace.end]; len(namespace) > 0 {
		k.name = append(append(k.name, namespace...), '/')
	}
	k.name = append(k.name, obj.raw[obj.name.start:obj.name.end]...)
	known := k.objects[string(k.name)]
	i := slices.IndexFunc(known, func(o namedObject) bool { return *o.gvk == *obj.gvk })
	if i < 0 {
		i = len(known)
		known = append(known, namedObject{gvk: obj.gvk})
		k.objects[string(k.name)] = known
	}
	if applied {
		known[i].hash = obj.Hash()
	}
}

// owner returns the kind of the owner of pods. If objects of several kinds have the name, those
// whose lifecycles are not tracked are ignored. why is the reason if the kind is ambiguous,
// otherwise "".
func (k *nameKinds) owner(name string) (gvk schema.GroupVersionKind, why string) {
	return k.one(name, func(o namedObject) bool { return k.tracked[*o.gvk].TrackLifecycle })
}

// withHash returns the kind of an object in the index. If objects of several kinds have the name,
// those whose last manifest has another hash are ignored. why is the reason if the kind is
// ambiguous, otherwise "".
func (k *nameKinds) withHash(name string, hash uint64) (gvk schema.GroupVersionKind, why string) {
	return k.one(name, func(o namedObject) bool { return o.hash == hash })
}

// one returns the kind of the only object with a name, or of the only one that is likely.
func (k *nameKinds) one(name string, likely func(namedObject) bool) (gvk schema.GroupVersionKind, why string) {
	found := k.objects[name]
	if len(found) > 1 {
		if some := slices.DeleteFunc(slices.Clone(found), func(o namedObject) bool { return !likely(o) }); len(some) > 0 {
			found = some
		}
	}
	switch len(found) {
	case 0:
		return gvk, "no event has an object of this name of a tracked kind, so its kind cannot be determined"
	case 1:
		return *found[0].gvk, ""
	}
	kinds := make([]string, len(found))
	for i, o := range found {
		kinds[i] = FormatGVK(*o.gvk)
	}
	return gvk, "the name is ambiguous: in the events it is " + strings.Join(kinds, " and ")
}
