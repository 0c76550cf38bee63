package skel

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/skel/internal/machine"
	"simkube.io/simkube/trace"
)

// ledger keeps what has to be known of objects beyond the event they are in: what became of the manifests before an object's deletion, and what the
// index and the lifecycles are to say in the end. It holds something for each object, of events only a few bytes for those that lost some, and nothing for
// objects that a program without deletions and the like leaves as they are.
type ledger struct {
	traits  machine.Traits
	sources map[objectKey]*source
	// results are the last manifests of what came out, where they matter for the index.
	results map[objectKey]*result
	// kept is how many bytes of specs the results hold.
	kept int
	// drops tell for events that lost objects which are left, to keep the times of x-simkube in step.
	drops drops
	// regrouped: events are not those of the trace that was read any more.
	regrouped bool
}

// objectKey tells which object it is.
type objectKey struct {
	gvk             schema.GroupVersionKind
	namespace, name string
}

func keyOf(obj *trace.Object) objectKey {
	return objectKey{obj.GVK(), obj.Namespace(), obj.Name()}
}

// source is an object of the trace that was read.
type source struct {
	// all are the objects that it became at any time, live those that it is now, and ended those that it was when it was last deleted.
	all         []objectKey
	live, ended []liveObject
	// since: a manifest came since the last deletion.
	since bool
	// shift is by how much all of its manifests were moved; mixed says that they were not by the same.
	shift  int64
	mixed  bool
	before bool // shift is that of a manifest
}

type liveObject struct {
	key   objectKey
	shift int64
}

// result is the last manifest of an object that came out. Its hash is that of the index that was read, unless it is known here: as the hash, or as the spec of which
// it is made in the end. Most manifests are not the last of their object, and hashing them would be in vain.
type result struct {
	known bool
	hash  uint64
	spec  []byte
}

// manifestHash gives the hash, which is known.
func (r *result) manifestHash() uint64 {
	if r.spec == nil {
		return r.hash
	}
	return trace.HashSpec(r.spec)
}

// maxKept is how many bytes of specs are held. What is beyond it is hashed at once.
const maxKept = 24 << 20

// note makes the result of an object that of a manifest; indexed says that its hash is not that of the index that was read.
func (l *ledger) note(key objectKey, obj *trace.Object, indexed bool) {
	r := l.results[key]
	if r == nil {
		r = &result{}
		l.results[key] = r
	}
	l.kept -= cap(r.spec)
	r.known = indexed
	switch spec := obj.Spec(); {
	case !indexed:
		r.spec = nil
	case l.kept+len(spec) <= maxKept && len(spec) > 0:
		r.spec = append(r.spec[:0], spec...)
	default:
		r.spec, r.hash = nil, obj.Hash()
	}
	l.kept += cap(r.spec)
}

func newLedger(traits machine.Traits) *ledger {
	return &ledger{
		traits: traits, sources: map[objectKey]*source{}, results: map[objectKey]*result{},
		regrouped: traits.Moves || traits.Copies || traits.Inserts,
	}
}

// same takes an event in which nothing changed.
func (l *ledger) same(e *trace.Event) {
	if !l.traits.Tracks() && len(l.results) == 0 {
		return
	}
	for i := range e.Applied {
		l.apply(&e.Applied[i], nil, true)
	}
}

// apply takes what became of a manifest: objects, or, if same, itself. Where it is the same, objects may be empty or have its hash.
func (l *ledger) apply(obj *trace.Object, objects []outObject, same bool) {
	if !l.traits.Tracks() {
		l.applyUntracked(obj, objects, same)
		return
	}
	key := keyOf(obj)
	s := l.sources[key]
	if s == nil {
		s = &source{}
		l.sources[key] = s
	}
	if same && len(objects) == 0 {
		s.became(key, 0)
		s.moved(0)
		l.note(key, obj, false)
		return
	}
	for i := range objects {
		made := keyOf(&objects[i].object)
		s.became(made, objects[i].shift)
		s.moved(objects[i].moved)
		l.note(made, &objects[i].object, objects[i].indexed)
	}
	if len(objects) == 0 {
		s.moved(0)
	}
}

func (l *ledger) applyUntracked(obj *trace.Object, objects []outObject, same bool) {
	if same {
		if len(l.results) > 0 {
			if key := keyOf(obj); l.results[key] != nil {
				l.note(key, obj, false)
			}
		}
		return
	}
	for i := range objects {
		key := keyOf(&objects[i].object)
		if objects[i].indexed || l.results[key] != nil {
			l.note(key, &objects[i].object, objects[i].indexed)
		}
	}
}

// became notes that a manifest of the source came out as an object.
func (s *source) became(key objectKey, shift int64) {
	if !slices.Contains(s.all, key) {
		s.all = append(s.all, key)
	}
	for i := range s.live {
		if s.live[i].key == key {
			s.live[i].shift = shift
			return
		}
	}
	s.live = append(s.live, liveObject{key, shift})
}

// moved notes a manifest of the source, and by how much it was moved.
func (s *source) moved(shift int64) {
	if s.before && s.shift != shift {
		s.mixed = true
	}
	s.shift, s.before = shift, true
	s.since = true
}

// end is a deletion that comes out.
type end struct {
	object trace.Object
	shift  int64
}

// delete tells which deletions come of the record of a deleted object. found is what the program makes of the record alone.
func (l *ledger) delete(obj *trace.Object, found *recordOutcome) ([]end, error) {
	s := l.sources[keyOf(obj)]
	if found.dropped && (s == nil || !found.copied) {
		return nil, nil
	}
	if s == nil {
		// Nothing of this object was seen: only the record itself tells.
		return []end{{found.object, found.shift}}, nil
	}
	if s.since {
		s.ended, s.live, s.since = s.live, s.ended[:0], false
	}
	// Without a manifest since the last deletion, this one is that of the same once more.
	var ends []end
	for _, live := range s.ended {
		if found.dropped && live.key == keyOf(&found.object) {
			continue
		}
		gone, err := trace.NewDeleted(live.key.gvk, trace.NamespacedName(live.key.namespace, live.key.name))
		if err != nil {
			return nil, err
		}
		shift := live.shift
		if l.traits.MovesRecords {
			shift = found.shift
		}
		ends = append(ends, end{gone, shift})
	}
	return ends, nil
}

// lost notes which objects of an event are left, applied then deleted, if not all are.
func (l *ledger) lost(event int, kept []bool) {
	if !l.regrouped && slices.Contains(kept, false) {
		l.drops.add(event, kept)
	}
}
