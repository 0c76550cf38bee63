package simulation

import (
	"context"
	"time"

	"simkube.io/simkube/internal/results"
)

const (
	// settleTraceTime is how long, in trace time, the simulation waits at the end of the trace for
	// pods that are starting or finishing. On the clock it is bounded by minSettle and maxSettle.
	settleTraceTime = time.Minute
	minSettle       = 500 * time.Millisecond
	maxSettle       = 5 * time.Second
)

// settle waits for the end of the trace, and then for pods that are starting or finishing: as in
// the recorded cluster, it takes some time from an event to a running pod. It also waits until the
// controllers have seen all objects, and on the wall clock until the control plane has caught up.
func (s *session) settle(ctx context.Context, times results.TimeMap) error {
	s.progress.enter(Settling)
	end := times.ClockStart.Add(time.Duration(float64(s.end-s.origin) / s.spec.Speed * float64(time.Second)))
	// The controllers have not handled the last event when it has just been applied, especially on a
	// virtual clock that has not advanced since.
	if s.Start.Pause != nil {
		if _, err := s.Start.Pause.SleepUntil(ctx, end); err != nil {
			return err
		}
	}
	if err := s.sleep(ctx, max(end.Sub(s.Clock.Now()), minSettle)); err != nil {
		return err
	}
	wait := s.awaitSeen
	if s.spec.Time == Real {
		wait = s.catchUp
	}
	if err := wait(ctx); err != nil {
		return err
	}
	grace := min(max(time.Duration(float64(settleTraceTime)/s.spec.Speed), minSettle), maxSettle)
	for deadline := s.Clock.Now().Add(grace); s.Clock.Now().Before(deadline); {
		if s.settled() {
			return nil
		}
		if err := s.sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// settled reports whether no pod is pending or starting, and none is running that the recorded
// cluster saw finish.
func (s *session) settled() bool {
	c := s.recorder.Counts()
	if c.Pending+c.Starting > 0 {
		return false
	}
	return c.Running == 0 || !s.finishing
}

func (s *session) sleep(ctx context.Context, d time.Duration) error {
	timer := s.Clock.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
