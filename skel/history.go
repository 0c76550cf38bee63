package skel

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/skel/internal/machine"
	"simkube.io/simkube/trace"
)

// objectHistory records what happens to objects over all events: what an object's manifests have
// become, to apply the same to its deletion, and what the index and the lifecycles must contain at
// the end. It holds an entry for each object that needs one, which excludes objects that are
// unchanged by a program without deletions and the like. For events, it holds a few bytes for each
// that lost objects.
type objectHistory struct {
	traits  machine.Traits
	sources map[objectKey]*source
	// results are the last manifests of the output, if they are needed for the index.
	results map[objectKey]*result
	// kept is the number of bytes of specs in the results.
	kept int
	// drops are the events that lost objects, to keep the times of x-simkube consistent.
	drops drops
	// regrouped: the events no longer correspond to those of the input.
	regrouped bool
}

// objectKey identifies an object.
type objectKey struct {
	gvk             schema.GroupVersionKind
	namespace, name string
}

func keyOf(obj *trace.Object) objectKey {
	return objectKey{obj.GVK(), obj.Namespace(), obj.Name()}
}

// source is an object of the input.
type source struct {
	// all are the objects that it has become at any time, live those that it is now, and ended those
	// that it was when it was last deleted.
	all         []objectKey
	live, ended []liveObject
	// since: there was a manifest since the last deletion.
	since bool
	// shift is the number of seconds by which all of its manifests were moved; mixed means that they
	// were moved by different amounts.
	shift  int64
	mixed  bool
	before bool // shift is set
}

type liveObject struct {
	key   objectKey
	shift int64
}

// result is the last manifest of an object in the output. Its hash is that of the input's index,
// unless known is set: then it is hash, or the hash of spec. The spec is hashed at the end, because
// most manifests are not the last of their object.
type result struct {
	known bool
	hash  uint64
	spec  []byte
}

// manifestHash returns the hash, which must be known.
func (r *result) manifestHash() uint64 {
	if r.spec == nil {
		return r.hash
	}
	return trace.HashSpec(r.spec)
}

// maxKept is the maximum number of bytes of specs that are held. Beyond it, specs are hashed
// immediately.
const maxKept = 24 << 20

// note sets the last manifest of an object. indexed means that its hash differs from that of the
// input's index.
func (h *objectHistory) note(key objectKey, obj *trace.Object, indexed bool) {
	r := h.results[key]
	if r == nil {
		r = &result{}
		h.results[key] = r
	}
	h.kept -= cap(r.spec)
	r.known = indexed
	switch spec := obj.Spec(); {
	case !indexed:
		r.spec = nil
	case h.kept+len(spec) <= maxKept && len(spec) > 0:
		r.spec = append(r.spec[:0], spec...)
	default:
		r.spec, r.hash = nil, obj.Hash()
	}
	h.kept += cap(r.spec)
}

func newObjectHistory(traits machine.Traits) *objectHistory {
	return &objectHistory{
		traits: traits, sources: map[objectKey]*source{}, results: map[objectKey]*result{},
		regrouped: traits.Moves || traits.Copies || traits.Inserts,
	}
}

// same records an event in which nothing changed.
func (h *objectHistory) same(e *trace.Event) {
	if !h.traits.Tracks() && len(h.results) == 0 {
		return
	}
	for i := range e.Applied {
		h.apply(&e.Applied[i], nil, true)
	}
}

// apply records the result of a manifest: objects, or, if same, the manifest itself. If same,
// objects may be empty, or hold its hash.
func (h *objectHistory) apply(obj *trace.Object, objects []outObject, same bool) {
	if !h.traits.Tracks() {
		h.applyUntracked(obj, objects, same)
		return
	}
	key := keyOf(obj)
	s := h.sources[key]
	if s == nil {
		s = &source{}
		h.sources[key] = s
	}
	if same && len(objects) == 0 {
		s.became(key, 0)
		s.moved(0)
		h.note(key, obj, false)
		return
	}
	for i := range objects {
		made := keyOf(&objects[i].object)
		s.became(made, objects[i].shift)
		s.moved(objects[i].moved)
		h.note(made, &objects[i].object, objects[i].indexed)
	}
	if len(objects) == 0 {
		s.moved(0)
	}
}

func (h *objectHistory) applyUntracked(obj *trace.Object, objects []outObject, same bool) {
	if same {
		if len(h.results) > 0 {
			if key := keyOf(obj); h.results[key] != nil {
				h.note(key, obj, false)
			}
		}
		return
	}
	for i := range objects {
		key := keyOf(&objects[i].object)
		if objects[i].indexed || h.results[key] != nil {
			h.note(key, &objects[i].object, objects[i].indexed)
		}
	}
}

// became records that a manifest of the source became an object.
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

// moved records a manifest of the source and its shift.
func (s *source) moved(shift int64) {
	if s.before && s.shift != shift {
		s.mixed = true
	}
	s.shift, s.before = shift, true
	s.since = true
}

// end is a deletion in the output.
type end struct {
	object trace.Object
	shift  int64
}

// delete returns the deletions that result from the record of a deleted object. found is the result
// of the program for the record alone.
func (h *objectHistory) delete(obj *trace.Object, found *recordOutcome) ([]end, error) {
	s := h.sources[keyOf(obj)]
	if found.dropped && (s == nil || !found.copied) {
		return nil, nil
	}
	if s == nil {
		// The object has no manifest in the trace: use the record alone.
		return []end{{found.object, found.shift}}, nil
	}
	if s.since {
		s.ended, s.live, s.since = s.live, s.ended[:0], false
	}
	// Without a manifest since the last deletion, this record repeats that deletion.
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
		if h.traits.MovesRecords {
			shift = found.shift
		}
		ends = append(ends, end{gone, shift})
	}
	return ends, nil
}

// lost records which objects of an event are left, applied before deleted, unless all are.
func (h *objectHistory) lost(event int, kept []bool) {
	if !h.regrouped && slices.Contains(kept, false) {
		h.drops.add(event, kept)
	}
}
