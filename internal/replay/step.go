package replay

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/order"
	"simkube.io/simkube/trace"
)

// Action is something to do at a time of the trace that is not in the trace.
type Action struct {
	// Time is when the action is due, in unix seconds of the trace.
	Time int64
	// Name is what errors call the action.
	Name string
	// Run runs the action. It must return soon after ctx ends.
	Run func(ctx context.Context) error
}

// ActionError is the error of a Run that ended because an action failed.
type ActionError struct {
	Name string
	// Time is when the action was due in the trace.
	Time time.Time
	Err  error
}

func (e *ActionError) Error() string {
	return fmt.Sprintf("action %s at %s: %v", e.Name, e.Time.Format(time.RFC3339), e.Err)
}

// Unwrap returns the error of the action.
func (e *ActionError) Unwrap() error { return e.Err }

// step is one thing that a run goes through, at its time: an event of the trace or an action.
// Exactly one of the two is set.
type step struct {
	event  *trace.Event
	action *Action
}

func (s step) time() int64 {
	if s.action != nil {
		return s.action.Time
	}
	return s.event.Time
}

// turns returns the turns of objects of an event that it both applies and deletes.
func (p *Plan) turns(index int, event *trace.Event) []order.Turn {
	if p.Orders == nil {
		return order.Guess(event)
	}
	return p.Orders.Of(index)
}

// steps returns the events and the actions in the order of their times. Actions follow the events
// of the same second.
func (p *Plan) steps() iter.Seq2[step, error] {
	actions := slices.Clone(p.Actions)
	slices.SortStableFunc(actions, func(a, b Action) int { return cmp.Compare(a.Time, b.Time) })
	return func(yield func(step, error) bool) {
		left := actions
		for event, err := range p.Events {
			for err == nil && len(left) > 0 && left[0].Time < event.Time {
				if !yield(step{action: &left[0]}, nil) {
					return
				}
				left = left[1:]
			}
			if !yield(step{event: event}, err) {
				return
			}
		}
		for i := range left {
			if !yield(step{action: &left[i]}, nil) {
				return
			}
		}
	}
}

// pending is a step that is prepared and waits for its time.
type pending interface {
	// deadline returns when the step is due, without the pauses.
	deadline() time.Time
	// bytes returns about how much memory the step takes until it is done.
	bytes() int64
	// start starts the step, which was due at a time that takes pauses into account. It does not
	// block.
	start(r *run, due time.Time)
}

// actionRun is an action that is prepared or running.
type actionRun struct {
	*Action
	// position is the number of steps before this one.
	position int
	due      time.Time
}

// actionKey is the key of all actions in the queue, which runs them one after the other.
func actionKey() objectKey {
	return objectKey{kind: schema.GroupKind{Group: simkubev1.GroupName, Kind: "Action"}}
}

func (a *actionRun) deadline() time.Time { return a.due }
func (a *actionRun) bytes() int64        { return taskOverhead }

func (a *actionRun) start(r *run, due time.Time) {
	r.queue.add(actionKey(), work{
		run: func(ctx context.Context) next {
			r.opts.Logger.InfoContext(ctx, "run an action", "action", a.Name, "late", r.opts.Clock.Since(due))
			err := a.Run(ctx)
			if err == nil {
				r.results.done(a.position)
			} else {
				r.abort(&ActionError{Name: a.Name, Time: time.Unix(a.Time, 0).UTC(), Err: err})
			}
			r.memory.Release(a.bytes())
			return next{}
		},
		drop: func() { r.memory.Release(a.bytes()) },
	})
}
