package mutate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"simkube.io/simkube/trace"
)

// numberKey is what pods are counted by. The hash is 0 for known kinds, whose pods are all of one
// type even if their specs differ (pods of a StatefulSet have host names).
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

// String returns the key as text: "apps/v1.ReplicaSet default/web 0".
func (k numberKey) String() string {
	return k.owner.String() + " " + strconv.FormatUint(k.hash, 10)
}

// parseNumberKey is the inverse of String. Neither a kind nor a hash contains a space.
func parseNumberKey(s string) (numberKey, error) {
	kind, rest, _ := strings.Cut(s, " ")
	space := strings.LastIndexByte(rest, ' ')
	if space <= 0 {
		return numberKey{}, errors.New("must be a kind, a name and a hash")
	}
	gvk, err := trace.ParseGVK(kind)
	if err != nil {
		return numberKey{}, err
	}
	hash, err := strconv.ParseUint(rest[space+1:], 10, 64)
	if err != nil {
		return numberKey{}, fmt.Errorf("hash: %w", err)
	}
	return keyOf(trace.PodOwner{GVK: gvk, Name: rest[:space]}, hash), nil
}

// numbers counts pods. It has one number for each replayed owner and type of pod, so its size
// depends on the trace and not on the number of pods.
type numbers struct {
	mu   sync.Mutex
	free map[numberKey]int
}

// newNumbers returns numbers that continue from a result of all.
func newNumbers(from map[string]int) (*numbers, error) {
	n := &numbers{free: make(map[numberKey]int, len(from))}
	var problems []error
	for _, text := range slices.Sorted(maps.Keys(from)) {
		key, err := parseNumberKey(text)
		switch number := from[text]; {
		case err != nil:
			problems = append(problems, fmt.Errorf("number of pods of %q: %w", text, err))
		case number < 0:
			problems = append(problems, fmt.Errorf("number of pods of %q: %d is negative", text, number))
		default:
			n.free[key] = max(n.free[key], number)
		}
	}
	return n, errors.Join(problems...)
}

// take returns the next number, starting at 0.
func (n *numbers) take(key numberKey) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	number := n.free[key]
	n.free[key] = number + 1
	return number
}

// atLeast raises the next number to number.
func (n *numbers) atLeast(key numberKey, number int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.free[key] = max(n.free[key], number)
}

// next returns the number that take would return.
func (n *numbers) next(key numberKey) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.free[key]
}

// all returns the numbers that take would return, by the text of their keys.
func (n *numbers) all() map[string]int {
	n.mu.Lock()
	free := maps.Clone(n.free) // formats the texts without the lock
	n.mu.Unlock()
	all := make(map[string]int, len(free))
	for key, number := range free {
		all[key.String()] = number
	}
	return all
}
