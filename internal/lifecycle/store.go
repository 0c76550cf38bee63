package lifecycle

import (
	"cmp"
	"container/heap"
	"maps"
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Store has the recorded lifecycles that simulated pods get. It is immutable and safe for
// concurrent use.
type Store struct {
	owners map[ownerKey]*owned
	kinds  map[schema.GroupKind]bool
}

// ownerKey has no version: an owner may have been recorded with another version of its kind than
// its pods refer to.
type ownerKey struct {
	kind schema.GroupKind
	name string
}

// owned are the lifecycles of one owner.
type owned struct {
	byHash map[uint64][]Recorded
	// all is set, in place of byHash, for known kinds, whose lifecycles are found without the hash.
	all []Recorded
	// parts are the lifecycles of each incarnation of an owner of another kind, by start.
	parts [][]Recorded
	known bool
}

// Recorded is a recorded lifecycle, and how the simulated pod that gets it ends.
type Recorded struct {
	trace.Lifecycle
	Ending Ending
	// Hash and Number are what Lookup finds it by.
	Hash   uint64
	Number int
}

// NewStore returns a store of the lifecycles of a trace. History, which may be nil, is that of
// their owners: without it, every pod that finished completes.
func NewStore(recorded trace.Lifecycles, history *History) *Store {
	s := &Store{owners: make(map[ownerKey]*owned, len(recorded)), kinds: map[schema.GroupKind]bool{}}
	owners := slices.SortedFunc(maps.Keys(recorded), func(a, b trace.PodOwner) int {
		return cmp.Or(cmp.Compare(a.GVK.String(), b.GVK.String()), cmp.Compare(a.Name, b.Name))
	})
	for _, owner := range owners {
		key := keyOf(owner)
		o := s.owners[key]
		if o == nil {
			o = &owned{byHash: map[uint64][]Recorded{}}
			s.owners[key] = o
		}
		s.kinds[key.kind] = true
		for hash, lifecycles := range recorded[owner] {
			for _, l := range lifecycles {
				o.byHash[hash] = append(o.byHash[hash], Recorded{Lifecycle: l, Hash: hash, Number: len(o.byHash[hash])})
			}
		}
		o.known = o.known || trace.KnownKind(owner.GVK)
	}
	for key, o := range s.owners {
		o.decide(key.kind, history.of(key))
	}
	return s
}

// decide sets how the pods end.
func (o *owned) decide(kind schema.GroupKind, history []incarnation) {
	all := interleave(o.byHash)
	list := make([]trace.Lifecycle, len(all))
	for i, r := range all {
		list[i] = r.Lifecycle
	}
	for i, ending := range endings(kind, history, list) {
		all[i].Ending = ending
		o.byHash[all[i].Hash][all[i].Number].Ending = ending
	}
	if o.known {
		o.all, o.byHash = all, nil
		return
	}
	for _, part := range split(history, list) {
		o.parts = append(o.parts, all[part.from:part.to])
	}
}

func keyOf(owner trace.PodOwner) ownerKey {
	return ownerKey{kind: owner.GVK.GroupKind(), name: owner.Name}
}

// Lookup returns the lifecycle of the pod with the sequence number seq, from 0, among those pods of
// an owner that have the hash: element seq of the recorded list, modulo its length. For known kinds
// the hash is ignored, and the list is that of all pods of the owner in the order in which they
// started. Lookup returns false if no lifecycle was recorded.
//
// A pod beyond the end of the list is not deleted: the one that replaced it would be deleted, too.
func (s *Store) Lookup(owner trace.PodOwner, podHash uint64, seq int) (Recorded, bool) {
	lifecycles := s.lifecycles(owner, podHash)
	if len(lifecycles) == 0 || seq < 0 {
		return Recorded{}, false
	}
	found := lifecycles[seq%len(lifecycles)]
	if seq >= len(lifecycles) && found.Ending == Deleted {
		found.Ending = RunsOn
	}
	return found, true
}

// HasKind reports whether the pods of any owner of a kind were recorded.
func (s *Store) HasKind(kind schema.GroupKind) bool { return s != nil && s.kinds[kind] }

// Incarnation returns the lifecycles of the pods of an owner that is not of a known kind, in the
// order of their starts, while it existed for the nth time, from 0. The caller must not change
// them.
func (s *Store) Incarnation(owner trace.PodOwner, n int) []Recorded {
	if s == nil {
		return nil
	}
	o := s.owners[keyOf(owner)]
	switch {
	case o == nil || n < 0:
		return nil
	case n < len(o.parts):
		return o.parts[n]
	}
	return nil
}

// Len returns the length of the list that Lookup uses.
func (s *Store) Len(owner trace.PodOwner, podHash uint64) int {
	return len(s.lifecycles(owner, podHash))
}

func (s *Store) lifecycles(owner trace.PodOwner, podHash uint64) []Recorded {
	if s == nil {
		return nil
	}
	o := s.owners[keyOf(owner)]
	switch {
	case o == nil:
		return nil
	case o.all != nil:
		return o.all
	default:
		return o.byHash[podHash]
	}
}

// interleave merges the lists, always taking the head that started first. The order within a list
// is kept: it is that in which its pods were created, which may differ from that of their starts. A
// pod that never started follows the pod that was created before it.
func interleave(byHash map[uint64][]Recorded) []Recorded {
	hashes := slices.Sorted(maps.Keys(byHash))
	heads := make(listHeap, 0, len(hashes))
	total := 0
	for i, hash := range hashes {
		if list := byHash[hash]; len(list) > 0 {
			heads = append(heads, listHead{i, list})
			total += len(list)
		}
	}
	heap.Init(&heads)
	all := make([]Recorded, 0, total)
	for len(heads) > 0 {
		first := &heads[0]
		all = append(all, first.list[0])
		if first.list = first.list[1:]; len(first.list) > 0 {
			heap.Fix(&heads, 0)
		} else {
			heap.Pop(&heads)
		}
	}
	return all
}

// listHead is a list of which the first element is next.
type listHead struct {
	order int
	list  []Recorded
}

// listHeap has the list whose head started first at index 0.
type listHeap []listHead

func (h listHeap) Len() int      { return len(h) }
func (h listHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *listHeap) Push(x any)   { *h = append(*h, x.(listHead)) }

func (h listHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(startOf(h[i].list[0].Lifecycle), startOf(h[j].list[0].Lifecycle)), cmp.Compare(h[i].order, h[j].order)) < 0
}

func (h *listHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func startOf(l trace.Lifecycle) int64 {
	if l.State == trace.Empty {
		return math.MinInt64
	}
	return l.Start
}
