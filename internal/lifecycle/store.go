package lifecycle

import (
	"cmp"
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
}

// ownerKey has no version: an owner may have been recorded with another version of its kind than
// its pods refer to.
type ownerKey struct {
	kind schema.GroupKind
	name string
}

// owned are the lifecycles of one owner.
type owned struct {
	byHash map[uint64][]trace.Lifecycle
	// all is set for known kinds only, whose lifecycles are found without the hash.
	all []trace.Lifecycle
}

// NewStore returns a store of the lifecycles of a trace, which must not change afterwards.
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

// Lookup returns the lifecycle of the pod with the sequence number seq, from 0, among those pods of
// an owner that have the hash: element seq of the recorded list, modulo its length. For known kinds
// the hash is ignored, and the list is that of all pods of the owner in the order in which they
// started. Lookup returns false if no lifecycle was recorded.
func (s *Store) Lookup(owner trace.PodOwner, podHash uint64, seq int) (trace.Lifecycle, bool) {
	lifecycles := s.lifecycles(owner, podHash)
	if len(lifecycles) == 0 || seq < 0 {
		return trace.Lifecycle{}, false
	}
	return lifecycles[seq%len(lifecycles)], true
}

// Len returns the length of the list that Lookup uses.
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

// interleave merges the lists, always taking the head that started first. The order within a list
// is kept: it is that in which its pods were created, which may differ from that of their starts. A
// pod that never started follows the pod that was created before it.
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
