package skcluster

import (
	"sync"
	"time"

	"simkube.io/simkube/internal/simulation"
)

// defaultStall is how long a simulation in virtual time may stand still.
const defaultStall = 30 * time.Second

// startStall is how long it may take until it tells how far it is for the first time: before, it
// brings up a control plane, and on a busy machine that takes a while.
const startStall = 3 * time.Minute

// watchdog notices a simulation that stands still: no message, or one that says what the last one said. In virtual time
// that is what a goroutine does that is stuck in a system call: it stops the clock, and with it everything. On
// the wall clock nothing may happen for hours, so only virtual time is watched.
type watchdog struct {
	stall time.Duration

	mu      sync.Mutex // guards the rest
	changed time.Time
	told    bool
	last    simulation.Progress
}

func newWatchdog(opts Options) *watchdog {
	stall := opts.Stall
	if stall == 0 {
		stall = defaultStall
	}
	return &watchdog{stall: stall, changed: time.Now()}
}

// saw takes a message in.
func (w *watchdog) saw(msg simulation.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if msg.Progress == nil {
		w.changed = time.Now()
		return
	}
	progress := *msg.Progress
	progress.ETA = 0 // it changes by itself
	if progress != w.last {
		w.last, w.changed = progress, time.Now()
	}
	w.told = w.told || progress.EventsTotal > 0
}

// stalled tells whether nothing has moved for too long.
func (w *watchdog) stalled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	limit := w.stall
	if !w.told {
		limit = max(limit, startStall)
	}
	return time.Since(w.changed) > limit
}
