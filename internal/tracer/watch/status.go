package watch

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
)

// State is what a Watcher is about.
type State string

const (
	// Starting is before the API server has answered for the first time.
	Starting State = "Starting"
	// Listing means that everything there is is on its way.
	Listing State = "Listing"
	// Synced means that all there is was handed on, and changes will be as they come.
	Synced State = "Synced"
	// Reconnecting means that the connection was lost, and changes come later.
	Reconnecting State = "Reconnecting"
	// Missing means that the API server doesn't have the kind.
	Missing State = "Missing"
	// Forbidden means that the API server doesn't let the kind be read, or doesn't know who asks.
	Forbidden State = "Forbidden"
	// Stopped means that Run has returned.
	Stopped State = "Stopped"
)

// States are all of them, for those who count.
func States() []State {
	return []State{Starting, Listing, Synced, Reconnecting, Missing, Forbidden, Stopped}
}

// Status tells what a Watcher is about, and what it did so far.
type Status struct {
	Kind  schema.GroupVersionKind
	State State
	// Since is when the state began.
	Since time.Time
	// HasSynced says that a list was complete once; what was known then may be out of date in states other than Synced.
	HasSynced bool
	// Error is the last error, and stays when all is well again. It is for people.
	Error string
	// ErrorAt is when it was; zero: never.
	ErrorAt time.Time
	// Retry is when the next attempt is made; zero while one is under way.
	Retry time.Time

	// Lists counts those that are complete; Watches those that were accepted; Restarts attempts that ended; Events objects that came; Bytes theirs.
	Lists, Watches, Restarts, Events, Bytes int64
	// LastEvent is when the last object came, LastHeard when anything did. Of a cluster in which nothing changes nothing may be heard for minutes.
	LastEvent, LastHeard time.Time
}

// keeper keeps a status and tells the observer.
type keeper struct {
	clock    clock.PassiveClock
	observer Observer

	mu     sync.Mutex // guards status
	status Status
}

func (k *keeper) get() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.status
}

func (k *keeper) update(f func(s *Status)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f(&k.status)
}

// enter changes the state, and says whether it was another.
func (k *keeper) enter(state State) bool {
	changed := false
	k.update(func(s *Status) {
		if changed = s.State != state; changed {
			s.State, s.Since = state, k.clock.Now()
		}
		s.Retry = time.Time{}
		s.HasSynced = s.HasSynced || state == Synced
	})
	if changed {
		k.observer.StateChanged(state)
	}
	return changed
}

func (k *keeper) listed(mode Mode) {
	k.update(func(s *Status) { s.Lists++ })
	k.observer.Listed(mode)
}

func (k *keeper) watched() {
	k.update(func(s *Status) { s.Watches++; s.LastHeard = k.clock.Now() })
	k.observer.Watched()
}

func (k *keeper) heard() {
	k.update(func(s *Status) { s.LastHeard = k.clock.Now() })
}

func (k *keeper) received(bytes int) {
	now := k.clock.Now()
	k.update(func(s *Status) {
		s.Events++
		s.Bytes += int64(bytes)
		s.LastEvent, s.LastHeard = now, now
	})
	k.observer.Received(bytes)
}

// ended notes the end of an attempt, and when the next one is made.
func (k *keeper) ended(e *ending, wait time.Duration) {
	now := k.clock.Now()
	k.update(func(s *Status) {
		s.Restarts++
		if e.reason != Closed {
			s.Error, s.ErrorAt = e.Error(), now
		}
		if wait > 0 {
			s.Retry = now.Add(wait)
		}
	})
	k.observer.Restarted(e.reason)
}
