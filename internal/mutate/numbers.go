package mutate

import (
	"sync"

	"simkube.io/simkube/trace"
)

// numberKey is what pods are counted by. The hash is 0 for known kinds, whose pods are all of one type
// though their specs differ (the pods of a StatefulSet have host names).
type numberKey struct {
	owner trace.PodOwner
	hash  uint64
}

func keyOf(owner trace.PodOwner, hash uint64) numberKey {
	if trace.KnownKind(owner.GVK) {
		hash = 0
	}
	return numberKey{owner: owner, hash: hash}
}

// numbers counts pods. There is one number for each replayed owner and type of pod, so it grows with the
// trace and not with the pods.
type numbers struct {
	mu   sync.Mutex
	free map[numberKey]int
}

// take gives each caller the next number, from 0.
func (n *numbers) take(key numberKey) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.free == nil {
		n.free = map[numberKey]int{}
	}
	number := n.free[key]
	n.free[key] = number + 1
	return number
}

// next gives the number that take would give.
func (n *numbers) next(key numberKey) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.free[key]
}
