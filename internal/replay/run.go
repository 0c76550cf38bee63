package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	corev1 "k8s.io/api/core/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

const (
	// preparedSteps and preparedBytes bound what is prepared ahead of its deadline, or late.
	preparedSteps = 64
	preparedBytes = 64 << 20
	// preparedNamespaces bounds how many are made at a time.
	preparedNamespaces = 16
)

// run is the state of one Run.
type run struct {
	*Engine
	plan Plan
	// steps are those of the plan that are not done, after eventsDone events that are.
	steps      iter.Seq2[step, error]
	eventsDone int

	schedule schedule
	builder  builder
	queue    *queue
	spaces   *namespaces
	pods     *barePods
	made     *made
	former   []*corev1.Pod // bare ones there were before the run, until takeUp
	results  *results
	memory   *semaphore.Weighted
	kinds    kindWatch
	// began is when the run did.
	began time.Time
	// end ends the run, with a cause.
	end context.CancelCauseFunc
}

// Run replays the events and returns when the last one is done, or, with a Duration that cuts the trace
// off or is waited for, when that has passed. Objects that cannot be applied do not stop it: they are Problems of the report.
// With Options.FailFast the first one does, as the end of ctx would, and is the error: a *ProblemError.
//
// When ctx ends, requests under way are finished, no more are made, and the report so far comes with the
// context's cause. An error from the events has everything before it replayed, and comes with the report
// too. CreateRoot must have succeeded before.
func (e *Engine) Run(ctx context.Context, plan Plan) (Report, error) {
	if e.root.UID == "" {
		return Report{}, errors.New("replay: no root")
	}
	r := e.newRun(plan)
	ctx, r.end = context.WithCancelCause(ctx)
	defer r.end(nil)
	stopReading, err := r.skipDone(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("replay: %w", err)
	}
	defer stopReading()
	r.queue = newQueue(ctx, e.opts.Concurrency, e.opts.Clock)
	stopWatching, err := r.watchBarePods(ctx)
	if err != nil {
		r.end(nil)
		r.queue.drain()
		return Report{}, fmt.Errorf("replay: %w", err)
	}
	err = r.dispatch(ctx)
	r.queue.idle(ctx)
	if plan.Settle != nil && ctx.Err() == nil {
		err = errors.Join(err, plan.Settle(ctx))
	}
	stopWatching()
	r.queue.drain()
	if err = whyEnded(ctx, err); err != nil {
		err = fmt.Errorf("replay: %w", err)
	}
	report := r.results.report()
	report.Isolated = r.builder.isolation.changes()
	return report, err
}

// whyEnded adds to an error why the run was ended, if it was and the error does not say so.
func whyEnded(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil {
		return cause
	}
	_, isProblem := errors.AsType[*ProblemError](cause)
	_, isAction := errors.AsType[*ActionError](cause)
	if (isProblem || isAction) && !errors.Is(err, cause) {
		return errors.Join(err, cause)
	}
	return err
}

// failed ends the run at its first problem, if Options.FailFast is set.
func (r *run) failed(problem Problem) {
	if r.opts.FailFast {
		r.abort(&ProblemError{Problem: problem})
	}
}

// abort ends the run with an error. The queue is stopped before this returns, so that no worker starts anything more.
func (r *run) abort(err error) {
	r.queue.stop()
	r.end(err)
}

func (e *Engine) newRun(plan Plan) *run {
	if plan.Config == nil {
		plan.Config = &trace.Config{}
	}
	plan.Done = max(0, plan.Done)
	if plan.Pause == nil {
		plan.Pause = NewPauser(e.opts.Clock)
	}
	_, now, shift, _ := plan.Pause.state()
	if plan.Start.IsZero() {
		// Pauses until now move nothing: what is due from now on is counted from now.
		plan.Start = now.Add(-shift)
	}
	// A start that was cut to a second or came as text has no monotonic reading; from here on it has,
	// and the wall clock may be set without harm.
	start := now.Add(plan.Start.Sub(now))
	r := &run{
		Engine:   e,
		plan:     plan,
		steps:    plan.steps(),
		schedule: schedule{start: start, origin: plan.Origin, speed: e.opts.Speed},
		began:    now,
		results:  newResults(e.opts, plan.Done),
		memory:   semaphore.NewWeighted(preparedBytes),
		builder:  builder{simulation: e.opts.Simulation, prefix: e.opts.NamespacePrefix, root: e.root, config: plan.Config},
	}
	if e.opts.Shared {
		r.builder.isolation = newIsolation(e.opts.Simulation, e.opts.NamespacePrefix)
	}
	r.made = newMade()
	r.spaces = newNamespaces(e)
	r.pods = newBarePods(e.opts.RescheduleInterruptedBarePods)
	return r
}

// dispatch starts each step when it is due.
func (r *run) dispatch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	prepared := make(chan pending, preparedSteps)
	var failure error // written before prepared is closed
	go func() {
		defer close(prepared)
		failure = r.prepare(ctx, prepared)
	}()
	defer func() {
		cancel()
		for range prepared { // until the goroutine has ended
		}
	}()
	for next := range prepared {
		due, err := r.plan.Pause.SleepUntil(ctx, next.deadline())
		if err != nil {
			return err
		}
		next.start(r, due)
	}
	return failure
}

// prepare prepares the steps ahead of their time, within the limits.
func (r *run) prepare(ctx context.Context, prepared chan<- pending) error {
	position, index := r.plan.Done, r.eventsDone
	for step, err := range r.steps {
		if err != nil {
			return fmt.Errorf("read event %d: %w", index, err)
		}
		if limit := r.plan.Duration; limit > 0 && step.time()-r.plan.Origin > int64(limit/time.Second) {
			_, err := r.plan.Pause.SleepUntil(ctx, r.schedule.after(limit))
			return err
		}
		var next pending
		if step.action != nil {
			next = &actionRun{Action: step.action, position: position, due: r.schedule.due(step.action.Time)}
		} else {
			event := r.prepareEvent(position, index, step.event)
			r.prepareNamespaces(ctx, event)
			next = event
			index++
		}
		position++
		if err := r.memory.Acquire(ctx, next.bytes()); err != nil {
			return context.Cause(ctx)
		}
		select {
		case prepared <- next:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// prepareNamespaces makes the namespaces an event needs, so that none of its objects has to wait for one. Where
// the trace has the namespaces themselves, it is not for us to make them early. What goes wrong here is seen
// when an object needs the namespace.
func (r *run) prepareNamespaces(ctx context.Context, event *eventRun) {
	if _, tracked := r.plan.Config.TrackedObjects[corev1.SchemeGroupVersion.WithKind("Namespace")]; tracked {
		return
	}
	var group errgroup.Group
	group.SetLimit(preparedNamespaces)
	asked := map[string]bool{}
	for _, t := range event.tasks {
		name := simkubev1.VirtualNamespace(r.opts.NamespacePrefix, t.key.namespace)
		if known, _ := r.spaces.known(name); known || asked[name] || t.verb != Apply || t.key.namespace == "" || t.malformed != nil {
			continue
		}
		asked[name] = true
		group.Go(func() error {
			if ctx.Err() == nil {
				_ = r.spaces.ensure(ctx, name)
			}
			return nil
		})
	}
	_ = group.Wait()
}

// finish is called once for each event, when its last task is done.
func (r *run) finish(event *eventRun) {
	r.memory.Release(event.size)
	r.results.add(event)
}
