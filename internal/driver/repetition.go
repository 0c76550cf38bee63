package driver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/action"
	"simkube.io/simkube/internal/hooks"
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/timespec"
	"simkube.io/simkube/storage"
	"simkube.io/simkube/trace"
)

// spec is what package simulation is to do for one repetition.
func (d *driver) spec(run int32) (simulation.Spec, error) {
	from := d.sim.Spec
	spec := simulation.Spec{
		Name: d.sim.Name, TraceName: d.traceName, Output: d.opts.output(d.sim, runName(run)), Overwrite: true,
		Speed: 1, ExistingNodes: true, Extend: true, NamespacePrefix: from.Driver.VirtualNsPrefix,
	}
	if from.Speed != nil {
		spec.Speed = *from.Speed
	}
	if from.Duration != nil {
		duration, err := timespec.ParseDuration(*from.Duration)
		if err != nil {
			return spec, fail(ReasonInvalidSimulation, "spec.duration: %w", err)
		}
		spec.Duration = duration
	}
	if from.RescheduleInterruptedBarePods != nil {
		spec.RescheduleInterruptedBarePods = *from.RescheduleInterruptedBarePods
	}
	if p := from.LifecycleParams; p != nil {
		spec.Delays = mutate.Delays{
			ImagePull: milliseconds(p.ImagePullDelay), ImagePullJitter: milliseconds(p.ImagePullJitter),
			PodStartup: milliseconds(p.PodStartupDelay), PodStartupJitter: milliseconds(p.PodStartupJitter),
		}
	}
	return spec, nil
}

func milliseconds(n int64) time.Duration {
	return time.Duration(min(n, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

func runName(run int32) string { return fmt.Sprintf("run-%d", run) }

// repetition does whatever is not done yet of one repetition.
func (d *driver) repetition(ctx context.Context, run int32, path string, before *saved) error {
	d.metrics.run.Set(float64(run))
	replayed := slices.ContainsFunc(d.status.get().Summaries, func(s simkubev1.RunSummary) bool { return s.Run == run })
	if replayed {
		d.log.InfoContext(ctx, "this repetition was replayed before", "run", run)
		// The root of a later repetition, which bears the same name, is to be gone on with.
		if before == nil || before.Run <= run {
			if err := d.cleanUp(ctx, d.rootName); err != nil {
				return err
			}
		}
	} else {
		if err := d.hooks(ctx, simkubev1.HookPreRun, run); err != nil {
			return err
		}
		if err := d.replay(ctx, run, path, before); err != nil {
			return err
		}
	}
	return d.hooks(ctx, simkubev1.HookPostRun, run)
}

func (d *driver) hooks(ctx context.Context, phase simkubev1.HookPhase, run int32) error {
	list := d.sim.Spec.Hooks
	if list == nil {
		return nil
	}
	of := list.PreRunHooks
	if phase == simkubev1.HookPostRun {
		of = list.PostRunHooks
	}
	runner := &hooks.Runner{
		Actions: action.Runner{Config: d.opts.Config, Logger: d.log}, Clock: d.opts.Clock,
		OnDone: func(record simkubev1.HookRecord, _ simkubev1.SimulationHook, err error) { d.hookDone(ctx, record, err) },
	}
	err := runner.RunPhase(ctx, phase, run, of, d.sim, hookRecords{d.status})
	if err != nil && ctx.Err() == nil {
		var failed *action.Error
		if errors.As(err, &failed) || errors.Is(err, hooks.ErrFailedBefore) || errors.Is(err, hooks.ErrInterrupted) {
			return fail(ReasonHookFailed, "%w; see the driver's log for what it printed, or let the hook say ignoreFailure", err)
		}
	}
	return err
}

// replay replays the trace once, keeps the results and cleans up.
func (d *driver) replay(ctx context.Context, run int32, path string, before *saved) error {
	spec, err := d.spec(run)
	if err != nil {
		return err
	}
	spec.Trace = path
	prepared, err := readTrace(ctx, spec)
	if err != nil {
		return err
	}
	for _, note := range prepared.Notes() {
		if note.Level == simulation.Warning {
			d.log.WarnContext(ctx, "worth knowing before the replay", "note", note.Text)
		}
	}
	var resume *simulation.Checkpoint
	if before != nil && before.Run == run {
		resume = &before.Checkpoint
	}
	d.checkpoints.begin(run)
	d.problems.Store(0)
	pausedSince := d.pauses.since()
	if resume != nil {
		d.problems.Store(int64(resume.Problems))
	}
	began := d.opts.Clock.Now()
	_, err = prepared.Run(ctx, simulation.Runner{
		Cluster: simulation.Cluster{
			Config: d.opts.Config, SetMutator: d.mutator.Store, Done: make(chan struct{}), Err: func() error { return nil },
			Versions: map[string]string{"simkube": d.opts.Version},
		},
		Clock:  d.opts.Clock,
		Log:    d.log,
		Report: func(m simulation.Message) { d.report(ctx, run, resume, m) },
		Wall:   func() time.Duration { return d.opts.Clock.Since(began) },
		Start:  simulation.Start{Resume: resume, Pause: d.pauses.begin(), PausedSince: pausedSince},
		Options: simulation.Options{
			RootName: d.rootName, FailFast: d.opts.FailFast, Leave: true, Exclusive: true,
			BeforeReplay: d.probe,
			OnEvent:      func(e replay.EventReport) { d.replayed(ctx, e) },
			OnCheckpoint: d.checkpoints.changed,
			OnResults: func(ctx context.Context, done *simulation.Done, failure error) error {
				return d.finished(ctx, run, done, failure)
			},
		},
	})
	return failure(err)
}

// failure makes a Failure of the error with which a replay failed fast; other errors stay what they are.
func failure(err error) error {
	var failed *Failure
	var problem *replay.ProblemError
	if errors.As(err, &failed) || !errors.As(err, &problem) {
		return err
	}
	return fail(ReasonApplyFailed, "%w; correct the trace (skctl validate), or run without --fail-fast", err)
}

// replayed tells of an event, and of every object in it with which something went wrong.
func (d *driver) replayed(ctx context.Context, e replay.EventReport) {
	d.metrics.event(e)
	d.problems.Add(int64(len(e.Problems)))
	for _, p := range e.Problems {
		d.log.WarnContext(ctx, "an object was not replayed", "verb", p.Verb, "kind", trace.FormatGVK(p.GVK),
			"namespace", p.Namespace, "name", p.Name, "event", p.Event, "category", p.Category, "error", p.Message)
	}
}

const (
	// mostPatience is how long is tried to keep what a replay came to, firstPause and mostPause how long is waited between tries.
	mostPatience          = 5 * time.Minute
	firstPause, mostPause = time.Second, 20 * time.Second
)

// finished keeps the results of a repetition, which from then on is not replayed again. That it has failed is written at the same time:
// whoever comes after this driver must not take it for one that went well.
func (d *driver) finished(ctx context.Context, run int32, done *simulation.Done, ended error) error {
	summary := d.summary(run, done.Summary)
	var where string
	err := d.patiently(ctx, "the results", func() (err error) {
		where, err = d.keep(ctx, done.Output, runName(run))
		return err
	})
	if err == nil && !keepsFolder(d.sim) {
		// It would be there until the last repetition ends.
		if err := os.RemoveAll(done.Output); err != nil {
			d.log.WarnContext(ctx, "a folder that is not needed any more stays", "error", err)
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err = fail(ReasonResultsNotKept, "%w; check spec.results and the driver's permissions there", err)
	} else {
		summary.Results = where
	}
	err = cmp.Or(failure(ended), err)
	d.status.change(func(s *simkubev1.DriverStatus) {
		s.Summaries = append(s.Summaries, summary)
		note(s, err)
	})
	saveErr := d.patiently(ctx, "the end of a repetition", func() error {
		return d.status.save(ctx, func(*simkubev1.DriverStatus) {})
	})
	return errors.Join(err, saveErr)
}

// patiently does what keeps something (what says what), and must not fail because somebody is away for a moment: hours of replay would be lost. It gives up when another try
// cannot mend it, and after some minutes.
func (d *driver) patiently(ctx context.Context, what string, f func() error) error {
	began := d.opts.Clock.Now()
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		err := f()
		if err == nil || ctx.Err() != nil || !passes(err) || d.opts.Clock.Since(began) > mostPatience {
			return err
		}
		d.log.WarnContext(ctx, "something could not be kept yet", "what", what, "error", err, "again", pause)
		timer := d.opts.Clock.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C():
		}
		timer.Stop()
	}
}

// passes tells whether another try may mend an error.
func passes(err error) bool {
	var failed *Failure
	return !errors.As(err, &failed) && !errors.Is(err, storage.ErrPermission) && !errors.Is(err, storage.ErrNotExist) && !errors.Is(err, fs.ErrNotExist) &&
		!apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) && !apierrors.IsRequestEntityTooLargeError(err) && !apierrors.IsNotFound(err)
}

func (d *driver) summary(run int32, s results.Summary) simkubev1.RunSummary {
	seconds := func(v float64) *metav1.Duration {
		return &metav1.Duration{Duration: time.Duration(v * float64(time.Second)).Round(time.Millisecond)}
	}
	total, _ := d.checkpoints.last()
	return simkubev1.RunSummary{
		Run:    run,
		Events: count(total.Events), Applied: count(total.Applied), Deleted: count(total.Deleted), Problems: count(total.Problems),
		Pods: count(s.Outcome.Pods.Created), Scheduled: count(s.Outcome.Pods.Scheduled),
		PendingP50: seconds(s.Timing.Pending.P50), PendingP99: seconds(s.Timing.Pending.P99), PendingMax: seconds(s.Timing.Pending.Max),
		LagMax: seconds(s.Timing.ReplayLag.Max),
	}
}

func count(n int) int32 { return int32(min(n, math.MaxInt32)) }

// report takes progress to the status and to the metrics.
func (d *driver) report(ctx context.Context, run int32, resumed *simulation.Checkpoint, m simulation.Message) {
	if m.Note != nil {
		d.log.InfoContext(ctx, "worth knowing", "note", m.Note.Text)
	}
	p := m.Progress
	if p == nil {
		return
	}
	d.metrics.progress(p)
	done := p.Counts.Events
	if resumed != nil {
		done = min(p.EventsTotal, done+resumed.Done)
	}
	d.status.change(func(s *simkubev1.DriverStatus) {
		s.Run, s.Phase = run, phaseOf(p.Phase)
		if s.Reason == "" {
			s.Message = ""
			if s.Phase == simkubev1.DriverCleaning && p.Detail != "" {
				s.Message = "waits until these are gone: " + p.Detail
			}
		}
		s.TraceStart, s.TraceEnd, s.TraceTime = stamp(p.TraceStart), stamp(p.TraceEnd), cmp.Or(stamp(p.TraceTime), s.TraceTime)
		s.Events, s.EventsTotal = count(done), count(p.EventsTotal)
		s.Problems = count(int(d.problems.Load()))
	})
}

func stamp(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t}
}

func phaseOf(p simulation.Phase) simkubev1.DriverPhase {
	switch p {
	case simulation.Replaying, simulation.Aligning:
		return simkubev1.DriverReplaying
	case simulation.Settling:
		return simkubev1.DriverSettling
	case simulation.Reporting:
		return simkubev1.DriverReporting
	case simulation.Cleaning:
		return simkubev1.DriverCleaning
	default:
		return simkubev1.DriverPreparing
	}
}
