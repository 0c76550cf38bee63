package watch

import (
	"context"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// watchdog ends a request on which nothing comes for too long. Time that is not spent waiting for the API server doesn't count. Its methods
// are for one goroutine.
type watchdog struct {
	limit   time.Duration
	timer   clock.Timer
	bites   atomic.Bool
	done    chan struct{}
	stopped chan struct{}
}

// newWatchdog makes a watchdog, armed, that calls cancel after the limit. It must be closed.
func newWatchdog(clk clock.Clock, limit time.Duration, cancel context.CancelCauseFunc) *watchdog {
	d := &watchdog{limit: limit, timer: clk.NewTimer(limit), done: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(d.stopped)
		select {
		case <-d.timer.C():
			d.bites.Store(true)
			cancel(errSilent)
		case <-d.done:
		}
	}()
	return d
}

// arm starts a wait for the API server, disarm ends it.
func (d *watchdog) arm()    { d.timer.Reset(d.limit) }
func (d *watchdog) disarm() { d.timer.Stop() }

// because gives the error of a request that failed: that it was ended by the watchdog, if it was.
func (d *watchdog) because(err error) error {
	if err != nil && d.bites.Load() {
		return errSilent
	}
	return err
}

func (d *watchdog) close() {
	d.timer.Stop()
	close(d.done)
	<-d.stopped
}
