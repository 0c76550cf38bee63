package skcluster

import (
	"sync"
	"time"

	"simkube.io/simkube/internal/simulation"
)

// defaultStall is how long a simulation in virtual time may stand still.
const defaultStall = 30 * time.Second

// busyStall is the same for phases in which the clock has no reason to move and little can be told: bringing up the control
// plane, writing results, and deleting what may be many thousand pods.
const busyStall = 5 * time.Minute

// watchdog notices a simulation that stands still: no message, or one that says what the last one said, whenever it is
// asked. In virtual time that is what a goroutine does that is stuck in a system call: it stops the clock, and
// with it everything. On the wall clock nothing may happen for hours, so only virtual time is watched.
//
// It counts how often the simulation was asked, not the time that passed: who suspends skctl does not ask.
type watchdog struct {
	stall time.Duration

	mu    sync.Mutex // guards the rest
	asked int        // since the last change
	last  simulation.Progress
}

func newWatchdog(opts Options) *watchdog {
	stall := opts.Stall
	if stall == 0 {
		stall = defaultStall
	}
	return &watchdog{stall: stall}
}

// saw takes a message in.
func (w *watchdog) saw(msg simulation.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if msg.Progress == nil {
		w.asked = 0
		return
	}
	progress := *msg.Progress
	progress.ETA = 0 // it changes by itself
	if progress != w.last {
		w.last, w.asked = progress, 0
	}
}

// tick is called each time the simulation is asked, every progressInterval, and tells whether nothing has moved
// for too long.
func (w *watchdog) tick() (stalled bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	limit := w.stall
	switch w.last.Phase {
	case simulation.Preparing:
		return false // a large trace takes its time to read, and nobody answers meanwhile
	case simulation.Starting, simulation.Nodes, simulation.Reporting, simulation.Cleaning:
		limit = max(limit, busyStall)
	}
	return time.Duration(w.asked)*progressInterval > limit
}
