package simulation

import (
	"sync"
	"time"

	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/replay"
)

// tracker keeps the checkpoint of a run. It is safe for concurrent use.
type tracker struct {
	clock  clock.PassiveClock
	start  *Start
	notify func(take func() Checkpoint)

	mu      sync.Mutex
	at      Checkpoint
	mutator *mutate.Mutator
}

func newTracker(r Runner) *tracker {
	t := &tracker{clock: r.Clock, start: &r.Start, notify: r.Options.OnCheckpoint}
	if t.notify == nil {
		t.notify = func(func() Checkpoint) {}
	}
	return t
}

// begin sets the root, when the first event is due, and the checkpoint of the earlier process,
// which may be nil.
func (t *tracker) begin(root mutate.Root, start time.Time, before *Checkpoint) {
	t.mu.Lock()
	if before != nil {
		t.at = *before
		// Events after the leading ones are replayed, and counted, again.
		t.at.Events = before.Done
	}
	t.at.Root, t.at.ClockStart = root, start
	t.mu.Unlock()
	t.notify(t.now)
}

func (t *tracker) mutating(m *mutate.Mutator) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mutator = m
}

func (t *tracker) event(e replay.EventReport) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at.count(e)
}

// done sets how many leading events are done.
func (t *tracker) done(events int) {
	t.mu.Lock()
	t.at.Done = events
	t.mu.Unlock()
	t.notify(t.now)
}

// numbered is called when a pod was numbered.
func (t *tracker) numbered() {
	t.mu.Lock()
	begun := t.at.Root.UID != ""
	t.mu.Unlock()
	if begun {
		t.notify(t.now)
	}
}

// now returns the checkpoint. It must not be called before begin.
func (t *tracker) now() Checkpoint {
	t.mu.Lock()
	at, mutator := t.at, t.mutator
	t.mu.Unlock()
	at.At, at.Shift, at.Paused = t.clock.Now(), t.start.shift(), t.start.paused()
	at.Numbers = mutator.Numbers()
	return at
}
