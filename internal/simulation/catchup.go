package simulation

import (
	"context"
	"fmt"
	"time"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/results"
)

const (
	// minCatchUp and maxCatchUp bound how long the simulation waits for the control plane at the end
	// of the trace. Between them, the control plane gets as much time as it had in the recording.
	minCatchUp = 30 * time.Second
	maxCatchUp = 2 * time.Minute
	// stuckAfter is how long it waits if nothing progresses. If only pods without a node are left, it
	// waits for unplacedAfter.
	stuckAfter    = 10 * time.Second
	unplacedAfter = 2 * time.Second
	// runEnded is what has ended, for deviations.
	runEnded = "the run ended"
	// worthMentioning is how long it waits without telling the user.
	worthMentioning = 5 * time.Second
	// catchUpInterval is the shortest time between two looks at the control plane. A look that takes
	// long is followed by a longer time, so that the control plane is not kept busy.
	catchUpInterval = 100 * time.Millisecond
	lookShare       = 10
)

// catchUp waits until the control plane has done what the trace asks for. Controllers and scheduler
// work at their own pace on the wall clock: at speed 120, a second that they need is two minutes of
// the trace. What is not done in the end is a deviation.
func (s *session) catchUp(ctx context.Context) error {
	began := s.Clock.Now()
	w := catchUp{limit: s.catchUpLimit(), patience: stuckAfter, changed: began, began: began}
	for {
		now := s.Clock.Now()
		backlog, err := s.backlog(ctx, results.Scope{})
		if backlog == nil {
			return err
		}
		if w.retries.due(backlog) {
			s.retryPods(ctx)
			w.changed = s.Clock.Now()
			continue
		}
		if w.done(s.Clock.Now(), backlog) {
			s.cutShort = append(s.cutShort, backlog.CutShort(runEnded, !w.late)...)
			s.mentionCatchUp(w.changed.Sub(began))
			return nil
		}
		if err := s.sleep(ctx, max(catchUpInterval, lookShare*s.Clock.Now().Sub(now))); err != nil {
			return err
		}
	}
}

// awaitSeen waits, in virtual time, until the controllers have seen the latest versions of their
// objects. Those that have not are deviations. Pods without a node are tried once more.
func (s *session) awaitSeen(ctx context.Context) error {
	var retries retries
	for deadline := s.Clock.Now().Add(maxCatchUp); ; {
		backlog, err := s.backlog(ctx, results.Scope{})
		if backlog == nil {
			return err
		}
		s.cutShort = backlog.CutShort(runEnded, true)
		retry := retries.due(backlog)
		if retry {
			s.retryPods(ctx)
		}
		if len(s.cutShort) == 0 && !retry || !s.Clock.Now().Before(deadline) {
			for i := range s.cutShort {
				s.cutShort[i].Action = "let the controllers send more requests (--kube-api-qps)"
			}
			return nil
		}
		if err := s.sleep(ctx, minSettle); err != nil {
			return err
		}
	}
}

// backlog returns what the control plane has still to do, or nil if that is not known. The error is
// not nil only if ctx has ended.
func (s *session) backlog(ctx context.Context, scope results.Scope) (*results.Backlog, error) {
	backlog, err := s.observer.Backlog(ctx, scope)
	if err == nil {
		if s.spec.Delays != (mutate.Delays{}) {
			// Pods take as long to start as was asked for.
			for i := range backlog.Owners {
				backlog.Owners[i].Starting = 0
			}
		}
		return backlog, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	s.Log.DebugContext(ctx, "it is not known whether the controllers have caught up", "error", err)
	return nil, nil
}

// retryPods has the scheduler try the pods again that it found no node for. Otherwise a pod may
// wait for minutes although it could run, see [Cluster], and not run before the trace ends.
func (s *session) retryPods(ctx context.Context) {
	if s.Cluster.RetryPods != nil {
		s.Cluster.RetryPods(ctx)
	}
}

// catchUpLimit returns how long to wait at most: a replay that is faster than the recording gives
// the control plane less time than it had.
func (s *session) catchUpLimit() time.Duration {
	length := float64(s.end-s.origin) * float64(time.Second)
	saved := length - length/s.spec.Speed
	return time.Duration(min(max(saved, float64(minCatchUp)), float64(maxCatchUp)))
}

func (s *session) mentionCatchUp(took time.Duration) {
	if took < worthMentioning || s.spec.Speed <= 1 {
		return
	}
	s.Report(Message{Note: &Note{Level: Warning, Text: fmt.Sprintf(
		"the control plane took %s after the end of the trace to catch up, which are %s of the trace at this speed: pods start that much late; replay in virtual time, or more slowly (--speed)",
		took.Round(time.Second), results.FormatDuration(time.Duration(float64(took)*s.spec.Speed).Round(time.Second)))}})
}

// catchUp decides how long to wait for the control plane.
type catchUp struct {
	// limit is how long to wait at most, patience how long if nothing progresses.
	limit, patience time.Duration
	// began is when the wait began, changed when the backlog was smaller than ever before.
	began, changed time.Time
	smallest       int
	looked         bool
	// late reports whether the limit ended the wait.
	late    bool
	retries retries
}

// done reports whether there is nothing more to wait for.
func (w *catchUp) done(now time.Time, backlog *results.Backlog) bool {
	size := backlog.Size()
	if !w.looked || size < w.smallest {
		w.looked, w.smallest, w.changed = true, size, now
	}
	patience := w.patience + backlog.Pause()
	if size == backlog.Unplaced && backlog.Trying == 0 {
		patience = unplacedAfter
	}
	w.late = now.Sub(w.began) >= w.limit
	return size == 0 || w.late || now.Sub(w.changed) >= patience
}

// retries decides when to try the pods again that have no node.
type retries struct {
	// unplaced is how many there were when they were last tried.
	unplaced int
}

// due reports whether pods without a node are all that is left, and fewer than when it was last so:
// each one that is placed may be what others wait for.
func (r *retries) due(backlog *results.Backlog) bool {
	n := backlog.Unplaced
	if n == 0 || n != backlog.Size() || r.unplaced != 0 && n >= r.unplaced {
		return false
	}
	r.unplaced = n
	return true
}
