package replay

import (
	"context"
	"time"

	"k8s.io/utils/clock"
)

// SleepUntil waits for a deadline that pauses shift, and returns the shifted deadline. During a
// pause no deadline passes, not even one in the past. If ctx ends first, SleepUntil returns its
// cause.
func (p *Pauser) SleepUntil(ctx context.Context, deadline time.Time) (due time.Time, err error) {
	for {
		paused, now, shift, changed := p.state()
		due := deadline.Add(shift)
		left := due.Sub(now)
		if ctx.Err() != nil {
			return due, context.Cause(ctx)
		}
		if !paused && left <= 0 {
			return due, nil
		}
		if err := p.sleepOrChange(ctx, paused, left, changed); err != nil {
			return due, err
		}
	}
}

// sleepOrChange waits until the time has passed or the state changes; during a pause, only for a
// change.
func (p *Pauser) sleepOrChange(ctx context.Context, paused bool, left time.Duration, changed <-chan struct{}) error {
	var passed <-chan time.Time
	if !paused {
		timer := p.clock.NewTimer(left)
		defer timer.Stop()
		passed = timer.C()
	}
	select {
	case <-passed:
	case <-changed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// sleepUntil waits until a time, regardless of pauses.
func sleepUntil(ctx context.Context, clock clock.Clock, deadline time.Time) error {
	left := deadline.Sub(clock.Now())
	if left <= 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	}
	timer := clock.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
