package lifecycle

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Store answers which recorded lifecycle a simulated pod gets. It never changes and is safe for
// concurrent use.
type Store struct {
	owners map[ownerKey]*owned
}

// ownerKey leaves the version out: an owner may have been recorded under another version of its kind
// than the one its pods name.
type ownerKey struct {
	kind schema.GroupKind
	name string
}

// owned has the lifecycles of one owner.
type owned struct {
	byHash map[uint64][]trace.Lifecycle
	// all is set for known kinds only, where the hash does not matter.
	all []trace.Lifecycle
}

// NewStore makes a store of the lifecycles of a trace, which must not be changed afterwards.
func NewStore(recorded trace.Lifecycles) *Store {
	s := &Store{owners: make(map[ownerKey]*owned, len(recorded))}
	owners := slices.SortedFunc(maps.Keys(recorded), func(a, b trace.PodOwner) int {
		return cmp.Or(cmp.Compare(a.GVK.String(), b.GVK.String()), cmp.Compare(a.Name, b.Name))
	})
	for _, owner := range owners {
		key := keyOf(owner)
		o := s.owners[key]
		if o == nil {
			o = &owned{byHash: map[uint64][]trace.Lifecycle{}}
			s.owners[key] = o
		}
		for hash, lifecycles := range recorded[owner] {
			o.byHash[hash] = append(o.byHash[hash], lifecycles...)
		}
		if trace.KnownKind(owner.GVK) {
			o.all = interleave(o.byHash)
		}
	}
	return s
}

func keyOf(owner trace.PodOwner) ownerKey {
	return ownerKey{kind: owner.GVK.GroupKind(), name: owner.Name}
}

// Lookup gives the lifecycle of the pod with the sequence number seq, from 0, among the pods of an owner
// that have this hash: the one at seq in the recorded list, which starts over at its end. For known kinds
// the hash is not compared, and the list is that of all the owner's pods in the order they started. It
// reports false where nothing was recorded.
func (s *Store) Lookup(owner trace.PodOwner, podHash uint64, seq int) (trace.Lifecycle, bool) {
	lifecycles := s.lifecycles(owner, podHash)
	if len(lifecycles) == 0 || seq < 0 {
		return trace.Lifecycle{}, false
	}
	return lifecycles[seq%len(lifecycles)], true
}

// Len gives how many lifecycles Lookup goes round in.
func (s *Store) Len(owner trace.PodOwner, podHash uint64) int {
	return len(s.lifecycles(owner, podHash))
}

func (s *Store) lifecycles(owner trace.PodOwner, podHash uint64) []trace.Lifecycle {
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

// interleave makes one list of several by taking, again and again, the head that started first. Each
// list keeps its own order, which is that of its pods' creation and may not be that of their starts; one
// list alone stays as it is. A pod that never started follows the one created before it.
func interleave(byHash map[uint64][]trace.Lifecycle) []trace.Lifecycle {
	hashes := slices.Sorted(maps.Keys(byHash))
	lists := make([][]trace.Lifecycle, 0, len(hashes))
	total := 0
	for _, hash := range hashes {
		lists = append(lists, byHash[hash])
		total += len(byHash[hash])
	}
	all := make([]trace.Lifecycle, 0, total)
	for len(all) < total {
		first := -1
		for i, list := range lists {
			if len(list) > 0 && (first < 0 || startOf(list[0]) < startOf(lists[first][0])) {
				first = i
			}
		}
		all = append(all, lists[first][0])
		lists[first] = lists[first][1:]
	}
	return all
}

func startOf(l trace.Lifecycle) int64 {
	if l.State == trace.Empty {
		return math.MinInt64
	}
	return l.Start
}
