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

// busyShare is the part of the time that a process which is computing does so at least: one over
// it.
const busyShare = 10

// watchdog notices a simulation that stands still, that is one that tells nothing: in virtual time it does so whenever the
// clock has moved by half a minute, or many things have changed. What doesn't is a goroutine that is stuck in a system call: it
// stops the clock, and with it everything. On the wall clock nothing may happen for hours, so only virtual
// time is watched.
//
// It counts its own checks, not the time that passed: while skctl is suspended there are none.
type watchdog struct {
	stall time.Duration

	mu     sync.Mutex // guards the rest
	silent int        // checks since the last message
	idle   int        // those of them at which the process had not been computing
	used   time.Duration
	phase  simulation.Phase
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
	w.silent, w.idle = 0, 0
	if msg.Progress != nil {
		w.phase = msg.Progress.Phase
	}
}

// begun reports whether the simulation has begun to replay, so that there may be something to
// report.
func (w *watchdog) begun() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.phase {
	case "", simulation.Preparing, simulation.Starting, simulation.Nodes, simulation.Aligning:
		return false
	}
	return true
}

// tick is called every progressInterval with the processor time that the process has used, and
// reports whether nothing has moved for too long. A process that is computing is given more time:
// in a burst of many thousand pods those that would tell of it may not get their turn.
func (w *watchdog) tick(used time.Duration) (stalled bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent++
	if used-w.used < progressInterval/busyShare {
		w.idle++
	}
	w.used = used
	limit := w.stall
	switch w.phase {
	case simulation.Preparing:
		return false // a large trace takes its time to read, and nobody answers meanwhile
	case simulation.Starting, simulation.Nodes, simulation.Reporting, simulation.Cleaning:
		limit = max(limit, busyStall)
	}
	return time.Duration(w.idle)*progressInterval > limit || time.Duration(w.silent)*progressInterval > max(limit, busyStall)
}
