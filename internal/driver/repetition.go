package driver

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/action"
	"simkube.io/simkube/internal/hooks"
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/timespec"
	"simkube.io/simkube/trace"
)

// spec returns the simulation of one repetition.
func (d *driver) spec(run int32) (simulation.Spec, error) {
	from := d.sim.Spec
	spec := simulation.Spec{
		Name: d.sim.Name, TraceName: d.traceName, Version: d.opts.Version, Output: d.opts.output(d.sim, d.runName(run)), Overwrite: true,
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

// runs returns how many repetitions the simulation has.
func (d *driver) runs() int32 {
	if n := d.sim.Spec.Repetitions; n != nil {
		return max(1, *n)
	}
	return 1
}

// runName returns the name of the folder of a repetition.
func (d *driver) runName(run int32) string { return results.RunFolder(int(run), int(d.runs())) }

// repetition does what is left to do of one repetition.
func (d *driver) repetition(ctx context.Context, run int32, path string, before *saved) error {
	d.metrics.run.Set(float64(run))
	replayed := slices.ContainsFunc(d.status.get().Summaries, func(s simkubev1.RunSummary) bool { return s.Run == run })
	if replayed {
		d.log.InfoContext(ctx, "this repetition was replayed before", "run", run)
		// The root of a later repetition has the same name and is still needed.
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
			Versions: d.versions(ctx),
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

// versions returns the version of the cluster, for the results.
func (d *driver) versions(ctx context.Context) map[string]string {
	text, err := d.client.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	var info version.Info
	if err == nil {
		err = json.Unmarshal(text, &info)
	}
	if err != nil {
		d.log.WarnContext(ctx, "the results will not have the version of the cluster", "error", err)
		return nil
	}
	return map[string]string{"kubernetes": info.GitVersion}
}

// failure returns a Failure for the error of a replay that failed fast, and other errors unchanged.
func failure(err error) error {
	var failed *Failure
	var problem *replay.ProblemError
	if errors.As(err, &failed) || !errors.As(err, &problem) {
		return err
	}
	return fail(ReasonApplyFailed, "%w; correct the trace (skctl validate), or run without --fail-fast", err)
}

// replayed records an event, and logs every object in it that was not replayed as recorded.
func (d *driver) replayed(ctx context.Context, e replay.EventReport) {
	d.metrics.event(e)
	d.problems.Add(int64(len(e.Problems)))
	for _, p := range e.Problems {
		d.log.WarnContext(ctx, "an object was not replayed", "verb", p.Verb, "kind", trace.FormatGVK(p.GVK),
			"namespace", p.Namespace, "name", p.Name, "event", p.Event, "category", p.Category, "error", p.Message)
	}
}

// report records progress in the status and in the metrics.
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
