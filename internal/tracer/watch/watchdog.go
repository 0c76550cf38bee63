package watch

import (
	"context"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// watchdog cancels a request on which no data arrives for too long. Time that is not spent waiting
// for the API server does not count. Its methods must be called from one goroutine.
type watchdog struct {
	limit   time.Duration
	timer   clock.Timer
	fired   atomic.Bool
	done    chan struct{}
	stopped chan struct{}
}

// newWatchdog returns an armed watchdog that calls cancel after the limit. It must be closed.
func newWatchdog(clk clock.Clock, limit time.Duration, cancel context.CancelCauseFunc) *watchdog {
	d := &watchdog{limit: limit, timer: clk.NewTimer(limit), done: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(d.stopped)
		select {
		case <-d.timer.C():
			d.fired.Store(true)
			cancel(errSilent)
		case <-d.done:
		}
	}()
	return d
}

// arm starts a wait for the API server, disarm ends it.
func (d *watchdog) arm()    { d.timer.Reset(d.limit) }
func (d *watchdog) disarm() { d.timer.Stop() }

// cause returns the error of a failed request: errSilent if the watchdog cancelled it, or else err.
func (d *watchdog) cause(err error) error {
	if err != nil && d.fired.Load() {
		return errSilent
	}
	return err
}

func (d *watchdog) close() {
	d.timer.Stop()
	close(d.done)
	<-d.stopped
}
