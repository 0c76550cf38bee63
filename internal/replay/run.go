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

	"simkube.io/simkube/internal/exclusion"
	"simkube.io/simkube/trace"
)

const (
	// preparedSteps and preparedBytes bound the steps that are prepared and not done.
	preparedSteps = 64
	preparedBytes = 64 << 20
	// preparedNamespaces is how many namespaces are created concurrently.
	preparedNamespaces = 16
)

// run is the state of one Run.
type run struct {
	*Engine
	plan Plan
	// steps are the steps of the plan that are not done. They follow eventsDone events that are.
	steps      iter.Seq2[step, error]
	eventsDone int

	schedule schedule
	builder  builder
	excluded exclusion.Rule
	queue    *queue
	spaces   *namespaces
	pods     *barePods
	made     *made
	remaking *remaking
	former   []*corev1.Pod // bare pods that existed before the run, until resumePods
	results  *results
	memory   *semaphore.Weighted
	kinds    kindWatch
	// began is when the run began.
	began time.Time
	// end ends the run with a cause.
	end context.CancelCauseFunc
}

// Run replays the events and runs the actions. It returns when the last step is done, or, with a
// Duration that cuts the trace short, when that has passed. Objects that cannot be applied do not
// end the run, but are Problems of the report. With Options.FailFast the first Problem ends it with
// a *ProblemError. An action that fails ends it with an *ActionError.
//
// When ctx ends, requests under way are finished, no more are sent, and Run returns the report so
// far with the context's cause. If the events return an error, Run replays everything before it,
// and returns the report with the error. CreateRoot or AdoptRoot must have succeeded before.
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

// whyEnded adds to an error the cause that ended the run, if there is one and the error does not
// wrap it.
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

// abort ends the run with an error. It stops the queue before it returns, so that no worker starts
// anything more.
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
		// Pauses until now shift nothing, because deadlines count from now.
		plan.Start = now.Add(-shift)
	}
	// A start that was rounded or parsed has no monotonic clock reading. With one, the wall clock may
	// be set during the run.
	start := now.Add(plan.Start.Sub(now))
	r := &run{
		Engine:   e,
		plan:     plan,
		steps:    plan.steps(),
		schedule: schedule{start: start, origin: plan.Origin, speed: e.opts.Speed},
		began:    now,
		excluded: exclusion.Rule{Shared: e.opts.Shared},
		results:  newResults(e.opts, plan.Done),
		memory:   semaphore.NewWeighted(preparedBytes),
		builder: builder{
			simulation: e.opts.Simulation, root: e.root, config: plan.Config,
			recorded: newRecorded(&e.opts),
		},
	}
	if e.opts.Shared {
		r.builder.isolation = newIsolation(e.opts.Simulation, e.opts.Namespaces)
	}
	r.made = newMade()
	r.remaking = newRemaking()
	r.spaces = newNamespaces(e)
	r.pods = newBarePods(e.opts)
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

// prepare prepares steps ahead of their time, within the limits.
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

// prepareNamespaces creates the namespaces of an event, so that its objects need not wait for them.
// If the trace contains namespaces, they are created when they are due. Errors occur again when an
// object needs the namespace.
func (r *run) prepareNamespaces(ctx context.Context, event *eventRun) {
	if _, tracked := r.plan.Config.TrackedObjects[corev1.SchemeGroupVersion.WithKind("Namespace")]; tracked {
		return
	}
	var group errgroup.Group
	group.SetLimit(preparedNamespaces)
	asked := map[string]bool{}
	for _, t := range event.tasks {
		name := r.builder.namespace(t.key.namespace)
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

// finish must be called once for each event, when its last task has ended.
func (r *run) finish(event *eventRun) {
	r.memory.Release(event.size)
	r.results.add(event)
}
