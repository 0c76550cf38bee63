package skcluster

import (
	"sync"
	"time"

	"simkube.io/simkube/internal/simulation"
)

// defaultStall is how long a simulation in virtual time may make no progress.
const defaultStall = 30 * time.Second

// busyStall is the same for phases in which the clock does not move and there is little to report:
// starting the control plane, writing results, and deleting possibly many thousand pods.
const busyStall = 5 * time.Minute

// busyShare is the minimum share of processor time, as its inverse, of a process that is computing.
const busyShare = 10

// cpu is the processor time that a process has used, and how long its threads have waited for a
// processor.
type cpu struct{ used, waited time.Duration }

// watchdog detects a simulation that stalls, which means that it sends no messages. In virtual time
// it sends one whenever the clock has moved by half a minute or many things have changed. A
// goroutine that is stuck in a system call stops the clock and everything else. On the wall clock
// nothing may happen for hours, so only virtual time is watched.
//
// It counts its own checks rather than the time that has passed, because there are none while skctl
// is suspended.
type watchdog struct {
	stall time.Duration

	mu    sync.Mutex    // guards the rest
	idle  time.Duration // how long the process has not been computing
	busy  time.Duration // its processor time since the last message, of one processor
	last  cpu
	phase simulation.Phase
}

func newWatchdog(opts Options) *watchdog {
	stall := opts.Stall
	if stall == 0 {
		stall = defaultStall
	}
	return &watchdog{stall: stall}
}

// observe records that a message has arrived.
func (w *watchdog) observe(msg simulation.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle, w.busy = 0, 0
	if msg.Progress != nil {
		w.phase = msg.Progress.Phase
	}
}

// started reports whether the simulation has started to replay, so that there may be results.
func (w *watchdog) started() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.phase {
	case "", simulation.Preparing, simulation.Starting, simulation.Nodes, simulation.Aligning:
		return false
	}
	return true
}

// tick must be called every progressInterval with the processor time of the process. It reports
// whether nothing has moved for too long. A process that is computing has more time: in a burst of
// many thousand pods the goroutines that report progress may have to wait.
//
// Other processes on the machine must not make that time shorter. A thread of a process that is
// computing runs or waits for a processor; how long it has waited is known when it runs again. In a
// process that has stalled, only the monitor of the Go runtime wakes up.
func (w *watchdog) tick(now cpu) (stalled bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	used, waited := max(0, now.used-w.last.used), max(0, now.waited-w.last.waited)
	w.last = now
	w.busy += min(used, progressInterval)
	computing := used + waited
	if used >= progressInterval/busyShare {
		computing = max(computing, progressInterval)
	}
	w.idle = max(0, w.idle+progressInterval-computing)

	limit := w.stall
	switch w.phase {
	case simulation.Preparing:
		return false // a large trace takes a while to read without messages
	case simulation.Starting, simulation.Nodes, simulation.Reporting, simulation.Cleaning:
		limit = max(limit, busyStall)
	}
	return w.idle > limit || w.idle+w.busy > max(limit, busyStall)
}
