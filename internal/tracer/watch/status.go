package watch

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
)

// State is the state of a Watcher.
type State string

const (
	// Starting is the state before the first response of the API server.
	Starting State = "Starting"
	// Listing means that a list is in progress.
	Listing State = "Listing"
	// Synced means that all existing objects were passed on, and a watch is running.
	Synced State = "Synced"
	// Reconnecting means that the connection was lost, and changes are delayed.
	Reconnecting State = "Reconnecting"
	// Missing means that the API server does not have the kind.
	Missing State = "Missing"
	// Forbidden means that the API server denies access to the kind, or authentication.
	Forbidden State = "Forbidden"
	// Stopped means that Run has returned.
	Stopped State = "Stopped"
)

// States returns all states, for metrics.
func States() []State {
	return []State{Starting, Listing, Synced, Reconnecting, Missing, Forbidden, Stopped}
}

// Status is the state of a Watcher with statistics.
type Status struct {
	Kind  schema.GroupVersionKind
	State State
	// Since is when the state began.
	Since time.Time
	// HasSynced is whether a list was complete once; in states other than Synced its result may be
	// outdated.
	HasSynced bool
	// Error is the text of the last error. It is kept after the Watcher has recovered.
	Error string
	// ErrorAt is the time of the last error; zero if there was none.
	ErrorAt time.Time
	// Retry is when the next attempt starts; zero if one is in progress.
	Retry time.Time

	// Lists counts complete lists, Watches accepted watches, Restarts ended attempts, Events received
	// objects, and Bytes their sizes.
	Lists, Watches, Restarts, Events, Bytes int64
	// LastEvent is when the last object was received, LastHeard when any data was. In a cluster
	// without changes, no data may be received for minutes.
	LastEvent, LastHeard time.Time
}

// tracker maintains a status and notifies the observer.
type tracker struct {
	clock    clock.PassiveClock
	observer Observer

	mu     sync.Mutex // guards status
	status Status
}

func (t *tracker) get() Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status
}

func (t *tracker) update(f func(s *Status)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.status)
}

// enter changes the state, and reports whether it was another one before.
func (t *tracker) enter(state State) bool {
	changed := false
	t.update(func(s *Status) {
		if changed = s.State != state; changed {
			s.State, s.Since = state, t.clock.Now()
		}
		s.Retry = time.Time{}
		s.HasSynced = s.HasSynced || state == Synced
	})
	if changed {
		t.observer.StateChanged(state)
	}
	return changed
}

func (t *tracker) listed(mode Mode) {
	t.update(func(s *Status) { s.Lists++ })
	t.observer.Listed(mode)
}

func (t *tracker) watched() {
	t.update(func(s *Status) { s.Watches++; s.LastHeard = t.clock.Now() })
	t.observer.Watched()
}

func (t *tracker) heard() {
	t.update(func(s *Status) { s.LastHeard = t.clock.Now() })
}

func (t *tracker) received(bytes int) {
	now := t.clock.Now()
	t.update(func(s *Status) {
		s.Events++
		s.Bytes += int64(bytes)
		s.LastEvent, s.LastHeard = now, now
	})
	t.observer.Received(bytes)
}

// ended records the end of an attempt, and the time of the next one.
func (t *tracker) ended(e *ending, wait time.Duration) {
	now := t.clock.Now()
	t.update(func(s *Status) {
		s.Restarts++
		if e.reason != Closed {
			s.Error, s.ErrorAt = e.Error(), now
		}
		if wait > 0 {
			s.Retry = now.Add(wait)
		}
	})
	t.observer.Restarted(e.reason)
}
