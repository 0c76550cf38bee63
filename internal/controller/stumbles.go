package controller

import "sync"

// stumblesTold is the error in a row that users are told of, which comes after some seconds. Those before it leave the
// condition Ready alone: it tells how long something has been missing, and that a simulation runs.
const stumblesTold = 5

// stumbles counts errors in a row, by simulation. The zero value is ready for use.
type stumbles struct {
	mu sync.Mutex
	by map[string]int
}

// count adds one, and returns how many there are.
func (s *stumbles) count(simulation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = map[string]int{}
	}
	s.by[simulation]++
	return s.by[simulation]
}

// forget begins anew.
func (s *stumbles) forget(simulation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.by, simulation)
}
