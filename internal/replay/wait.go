package replay

import (
	"context"
	"time"

	"k8s.io/utils/clock"
)

// sleepUntil waits for a deadline of the schedule and gives it as it was moved by pauses. While the replay is
// paused no deadline passes, not even one that was reached before.
func (r *run) sleepUntil(ctx context.Context, deadline time.Time) (time.Time, error) {
	for {
		paused, now, shift, changed := r.plan.Pause.state()
		due := deadline.Add(shift)
		left := due.Sub(now)
		if ctx.Err() != nil {
			return due, context.Cause(ctx)
		}
		if !paused && left <= 0 {
			return due, nil
		}
		if err := r.sleepOrChange(ctx, paused, left, changed); err != nil {
			return due, err
		}
	}
}

// sleepOrChange waits until the time has passed or something changes; while paused, only for that.
func (r *run) sleepOrChange(ctx context.Context, paused bool, left time.Duration, changed <-chan struct{}) error {
	var passed <-chan time.Time
	if !paused {
		timer := r.opts.Clock.NewTimer(left)
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

// sleepUntil waits for a moment, whether or not anything is paused.
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
