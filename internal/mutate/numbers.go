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

// String gives the key as text: "apps/v1.ReplicaSet default/web 0".
func (k numberKey) String() string {
	return k.owner.String() + " " + strconv.FormatUint(k.hash, 10)
}

// parseNumberKey is the inverse of String. Neither a kind nor a hash has a space in it.
func parseNumberKey(s string) (numberKey, error) {
	kind, rest, _ := strings.Cut(s, " ")
	space := strings.LastIndexByte(rest, ' ')
	if space <= 0 {
		return numberKey{}, errors.New("want a kind, a name and a hash")
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

// numbers counts pods. There is one number for each replayed owner and type of pod, so it grows with the
// trace and not with the pods.
type numbers struct {
	mu   sync.Mutex
	free map[numberKey]int
}

// newNumbers goes on from what all gave.
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

// take gives each caller the next number, from 0.
func (n *numbers) take(key numberKey) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	number := n.free[key]
	n.free[key] = number + 1
	return number
}

// atLeast has take give no number below one.
func (n *numbers) atLeast(key numberKey, number int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.free[key] = max(n.free[key], number)
}

// next gives the number that take would give.
func (n *numbers) next(key numberKey) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.free[key]
}

// all gives the numbers that take would give, by the keys' text.
func (n *numbers) all() map[string]int {
	n.mu.Lock()
	free := maps.Clone(n.free) // those who take do not wait for texts to be made
	n.mu.Unlock()
	all := make(map[string]int, len(free))
	for key, number := range free {
		all[key.String()] = number
	}
	return all
}
