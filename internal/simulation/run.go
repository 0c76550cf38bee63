package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/report"
	"simkube.io/simkube/internal/standin"
	"simkube.io/simkube/trace"
)

// ErrInterrupted is returned if the context ended before there was anything to report.
var ErrInterrupted = errors.New("interrupted")

// cleanUpTimeout bounds the deletion of everything simulated.
const cleanUpTimeout = 5 * time.Minute

// Cluster is the cluster on which a simulation runs.
type Cluster struct {
	// Config reaches the API server, without a rate limit.
	Config *rest.Config
	// SetMutator makes the cluster mutate every pod that is created from now on.
	SetMutator func(*mutate.Mutator)
	// OnFailure, if not nil, makes the cluster call a function for every event that says that a
	// controller could not create an object. Otherwise events are watched, if that is allowed.
	OnFailure func(CreateFailed)
	// OnDecision, if not nil, makes the cluster call a function for every decision of its autoscaler.
	OnDecision func(func(results.Decision))
	// HandOver, if not nil, hands nodes over to the cluster's autoscaler before the replay.
	HandOver HandOver
	// OnReplay, if not nil, is called before the first event, with how times on the clock correspond
	// to those of the trace.
	OnReplay func(results.TimeMap)
	// RetryPods, if not nil, has the scheduler try every pod again that it found no node for, at once.
	// By itself it does so after some minutes, or when it sees a change that may let the pod run.
	RetryPods func(context.Context)
	// Done is closed when the cluster has failed; then Err returns why.
	Done <-chan struct{}
	Err  func() error
	// Versions are those of the components of the cluster, for the results.
	Versions map[string]string
	// Abandon, if not nil, stops the cluster from answering requests. It is set for a cluster that
	// ends with the process: simulated objects are not deleted from it. It is called when the cluster
	// is not needed any more or the context of the run ends, and may be called several times.
	Abandon func()
}

// CreateFailed is called with the event of a controller that could not create an object.
type CreateFailed func(ctx context.Context, event *corev1.Event)

// Runner is what a simulation is run with.
type Runner struct {
	Cluster Cluster
	// Clock is the clock of the cluster.
	Clock clock.WithTicker
	Log   *slog.Logger
	// Report receives notes and progress. It must be safe for concurrent use.
	Report func(Message)
	// Wall returns how long the simulation has taken so far on the wall clock, including preparations.
	Wall func() time.Duration
	// Options and Start are for a run that can be paused, or be continued by another process.
	Options Options
	Start   Start
}

// Run replays the trace, writes the results and cleans up. If ctx ends before the replay starts, it
// returns ErrInterrupted; if ctx ends later, the results are those until then. In both cases
// nothing is left in a cluster without Abandon; if the clean-up fails, its error is returned. With
// Options.Leave, the end of ctx ends the run with ErrInterrupted at any time, and nothing is
// cleaned up.
func (p *Prepared) Run(ctx context.Context, r Runner) (*Done, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-r.Cluster.Done:
			cancel(r.Cluster.Err())
		case <-ctx.Done():
		}
	}()
	defer func() { cancel(nil); <-watching }()
	if r.Cluster.Abandon != nil {
		// The controllers may be busy for a long time with work that is not needed any more.
		defer context.AfterFunc(ctx, r.Cluster.Abandon)()
	}

	s, err := p.newSession(r)
	if err != nil {
		return nil, err
	}
	progress := s.progress.start(ctx, r.Clock, r.Report)
	defer progress()
	return s.run(ctx)
}

// session is one run of a Prepared.
type session struct {
	*Prepared
	Runner
	client   kubernetes.Interface
	engine   *replay.Engine
	recorder *results.Recorder
	progress *progress
	tracker  *tracker
	mutator  *mutate.Mutator
	notes    *notes
	standIn  *standin.Controller // nil if there is none
	observer *results.Observer
	// cutShort are the pods that the control plane was not done with at the end, deletedEarly those
	// that it was not done with when their owners were deleted.
	cutShort     []results.Deviation
	deletedEarly deletedEarly
	// files are what programs beside the replay have written.
	files []results.File
}

func (p *Prepared) newSession(r Runner) (*session, error) {
	s := &session{Prepared: p, Runner: r, recorder: results.NewRecorder(), tracker: newTracker(r), notes: newNotes(p.Notes())}
	s.Report = s.notes.keep(r.Report)
	s.progress = newProgress(p, s.recorder, s.Start.pauses)
	typed := rest.CopyConfig(r.Cluster.Config)
	typed.ContentType = "application/vnd.kubernetes.protobuf"
	typed.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	var err error
	if s.client, err = kubernetes.NewForConfig(typed); err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	s.engine, err = replay.New(r.Cluster.Config, replay.Options{
		Simulation:                    p.spec.Name,
		RootName:                      r.Options.RootName,
		Namespaces:                    p.namespaces,
		Shared:                        p.spec.ExistingNodes,
		Hostnames:                     p.hostnames(),
		Speed:                         p.spec.Speed,
		RescheduleInterruptedBarePods: p.spec.RescheduleInterruptedBarePods,
		FailFast:                      r.Options.FailFast,
		Logger:                        r.Log,
		Clock:                         r.Clock,
		OnEvent: func(e replay.EventReport) {
			s.recorder.EventReplayed(eventResult(e))
			s.tracker.event(e)
			if r.Options.OnEvent != nil {
				r.Options.OnEvent(e)
			}
			s.progress.changed()
		},
		BeforeDelete: s.beforeDelete(),
		OnApplied:    s.applied,
		OnDeleted:    func(uid types.UID) { s.mutator.Deleted(uid) },
		OnCheckpoint: s.tracker.done,
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// errNothing is returned if a replay ended without anything to report, which is a bug.
var errNothing = errors.New("nothing was observed")

// run runs all phases, and cleans up at the end unless everything is to be left as it is. It writes
// the results first, so that they are kept if the clean-up fails.
func (s *session) run(ctx context.Context) (*Done, error) {
	var run *results.Run
	err := s.simulate(ctx, &run)
	if failure := s.clusterFailed(); failure != nil {
		return nil, fmt.Errorf("the control plane failed: %w", failure)
	}
	interrupted := err != nil && ctx.Err() != nil
	if interrupted && s.Options.Leave {
		return nil, interruption(err)
	}
	var done *Done
	switch {
	case run == nil && interrupted:
		err = interruption(err)
	case run == nil && err == nil:
		err = errNothing
	case run != nil && (interrupted || err == nil || failedFast(err)):
		run.Summary.Run.Interrupted = err != nil
		done = &Done{Output: s.spec.Output, Summary: run.Summary, Interrupted: err != nil}
		failure := err
		if interrupted {
			failure = nil // an interrupt is not a failure
		}
		err = errors.Join(failure, s.write(ctx, run, done, failure))
	}
	if err != nil && s.Options.Leave {
		return nil, err
	}
	if cleanErr := s.cleanUp(ctx); cleanErr != nil {
		if err != nil || s.Options.Leave {
			return nil, errors.Join(err, cleanErr)
		}
		s.Report(Message{Note: &Note{Level: Warning, Text: cleanErr.Error()}})
	}
	if err != nil {
		return nil, err
	}
	return done, nil
}

// failedFast reports whether a Problem ended the run because of FailFast. Such a run has results
// and an error.
func failedFast(err error) bool {
	var problem *replay.ProblemError
	return errors.As(err, &problem)
}

func (s *session) write(ctx context.Context, run *results.Run, done *Done, failure error) error {
	s.progress.enter(Reporting)
	// With one processor, the goroutine of progress may not run before the results are written.
	s.Report(Message{Progress: s.progress.now(s.Clock.Now())})
	err := results.Write(s.spec.Output, run, results.WriteOptions{Overwrite: s.spec.Overwrite, Report: report.Render, Files: s.files})
	if err != nil && s.spec.Spare != "" {
		var spareErr error
		done.Misplaced = err.Error()
		done.Output, spareErr = results.Rescue(s.spec.Spare, run, results.WriteOptions{Report: report.Render, Files: s.files})
		if spareErr == nil {
			err = nil
		}
		err = errors.Join(err, spareErr)
	}
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if s.Options.OnResults != nil {
		return s.Options.OnResults(ctx, done, failure)
	}
	return nil
}

func (s *session) clusterFailed() error {
	select {
	case <-s.Cluster.Done:
		return s.Cluster.Err()
	default:
		return nil
	}
}

// interruption returns ErrInterrupted, joined with err unless that only is the end of the context.
func interruption(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, ErrInterrupted) {
		return ErrInterrupted
	}
	return fmt.Errorf("%w, and before that: %w", ErrInterrupted, err)
}

// simulate sets everything up and replays the trace. It sets run as soon as there is something to
// report, even if it returns an error.
func (s *session) simulate(ctx context.Context, run **results.Run) error {
	s.progress.enter(Nodes)
	root, err := s.root(ctx)
	if err != nil {
		return fmt.Errorf("create the simulation's root: %w", err)
	}
	if err := s.installMutator(ctx, root); err != nil {
		return err
	}
	if !s.spec.ExistingNodes {
		if err := s.createNodes(ctx); err != nil {
			return err
		}
		if err := s.plan.Devices.Create(ctx, s.client); err != nil {
			return err
		}
		if err := s.limitVolumes(ctx); err != nil {
			return err
		}
	}
	if s.Options.BeforeReplay != nil {
		if err := s.Options.BeforeReplay(ctx, root); err != nil {
			return err
		}
	}
	observer, err := results.Start(ctx, s.client, s.recorder, results.Options{
		PodSelector: results.SimulationSelector(s.spec.Name),
		Clock:       s.Clock,
		Logger:      s.Log,
		OnChange:    s.progress.changed,
		Failures:    s.Cluster.OnFailure == nil,
		Ignore:      mutate.OwnerGone,
		Namespace:   s.recordedNamespace,
	})
	if err != nil {
		return fmt.Errorf("observe the cluster: %w", err)
	}
	s.observer = observer
	if s.Cluster.OnFailure != nil {
		s.Cluster.OnFailure(observer.CreateFailed)
	}
	if s.Cluster.OnDecision != nil {
		s.Cluster.OnDecision(s.recorder.Decided)
	}
	if err := s.startPrograms(ctx); err != nil {
		return errors.Join(err, s.stopObserving(ctx, observer))
	}

	start, note := s.Start.clockStart(s.Prepared, s.Clock.Now())
	if note != "" {
		s.Report(Message{Note: &Note{Level: Warning, Text: note}})
	}
	times := results.TimeMap{ClockStart: start, TraceStart: time.Unix(s.origin, 0).UTC(), Speed: s.spec.Speed}
	if s.Cluster.OnReplay != nil {
		s.Cluster.OnReplay(times)
	}
	s.tracker.begin(root, times.ClockStart, s.Start.Resume)
	if err := s.startStandIn(ctx, root, times); err != nil {
		return err
	}
	replayed, err := s.replay(ctx, times)
	s.stopStandIn()
	times.Pauses = s.Start.pauses()
	var ended time.Time
	if err != nil {
		ended = times.Trace(s.Clock.Now())
	}
	info := results.Info{
		Simulation: s.spec.Name,
		Trace:      s.traceInfo(),
		Times:      times,
		End:        s.Clock.Now(),
		Wall:       s.Wall(),
		Versions:   s.versions(),
		Settings:   s.settings(),
		Notes:      s.notes.all(),
		Deviations: slices.Concat(s.leftOut(), s.cutShort, s.deletedEarly.all()),
		Offers:     s.offers,
		Recording:  s.recording(ended),
	}
	stopErr := s.stopObserving(ctx, observer)
	s.stopPrograms()
	if !info.End.Before(times.ClockStart) && (replayed.Events > 0 || s.Start.Resume != nil || s.sawPods()) {
		*run = s.recorder.Run(info)
	}
	return errors.Join(err, stopErr)
}

// sawPods reports whether there were any pods. There may be thousands without a completed event.
func (s *session) sawPods() bool {
	c := s.recorder.Counts()
	return c.Pending+c.Starting+c.Running+c.Succeeded+c.Failed+c.Deleted > 0
}

// stopObserving stops the observer, which lists everything once more unless the cluster has stopped
// answering.
func (s *session) stopObserving(ctx context.Context, observer *results.Observer) error {
	if s.Cluster.Abandon == nil {
		return observer.Stop(context.WithoutCancel(ctx))
	}
	var err error
	if ctx.Err() == nil {
		err = observer.Stop(ctx)
	}
	s.Cluster.Abandon()
	observer.Close()
	if ctx.Err() != nil {
		return nil // the observer was interrupted
	}
	return err
}

func (s *session) installMutator(ctx context.Context, root mutate.Root) error {
	discoveryClient, err := discovery.NewDiscoveryClientForConfig(s.Cluster.Config)
	if err != nil {
		return fmt.Errorf("make discovery client: %w", err)
	}
	metadataClient, err := metadata.NewForConfig(s.Cluster.Config)
	if err != nil {
		return fmt.Errorf("make metadata client: %w", err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discoveryClient))
	mutator, err := mutate.New(mutate.Config{
		Simulation: s.spec.Name,
		Namespaces: s.namespaces,
		Root:       root,
		Lifecycles: s.lifecycles,
		Delays:     s.spec.Delays,
		Speed:      s.spec.Speed,
		Clock:      s.Clock,
		Owners:     mutate.NewClusterOwners(metadataClient, mapper),
		Numbers:    s.Start.numbers(),
		OnNumber:   s.tracker.numbered,
		Exclusive:  s.Options.Exclusive,
		Shared:     s.spec.ExistingNodes,
	})
	if err != nil {
		return fmt.Errorf("make the pod mutation: %w", err)
	}
	if s.Start.Resume != nil {
		if err := s.learnPods(ctx, mutator); err != nil {
			return err
		}
	}
	s.mutator = mutator
	s.tracker.mutating(mutator)
	if len(s.recorded) > 0 {
		s.recorder.GroupPods(groupPods(mutator))
	}
	s.Cluster.SetMutator(mutator)
	return nil
}

func (s *session) replay(ctx context.Context, times results.TimeMap) (replay.Report, error) {
	s.progress.enter(Replaying)
	if wait := times.ClockStart.Sub(s.Clock.Now()); wait > time.Second && s.spec.Time == Real {
		s.progress.enter(Aligning)
		s.Report(Message{Note: &Note{Level: Info, Text: fmt.Sprintf(
			"waiting %d s until the clock's seconds are those of the trace, so that CronJobs fire where they were recorded", int(wait.Seconds()))}})
	}
	s.progress.begin(times)
	file, err := trace.Open(s.spec.Trace)
	if err != nil {
		return replay.Report{}, fmt.Errorf("open trace: %w", err)
	}
	defer file.Close()
	report, err := s.engine.Run(ctx, replay.Plan{
		Config:     file.Config(),
		Events:     file.Events(),
		Orders:     s.orders,
		Lifecycles: s.lifecycles,
		Origin:     s.origin,
		Start:      times.ClockStart,
		Duration:   s.spec.Duration,
		Pause:      s.Start.Pause,
		Done:       s.Start.done(),
		Settle:     func(ctx context.Context) error { return s.settle(ctx, times) },
	})
	if len(report.Replaced) > 0 {
		s.Report(Message{Note: &Note{Level: Info, Text: replacedNote(report.Replaced)}})
	}
	for _, change := range slices.Sorted(maps.Keys(report.Isolated)) {
		s.Report(Message{Note: &Note{Level: Info, Text: fmt.Sprintf(
			"kept apart from the cluster's other workloads: %s (%d objects)", change, report.Isolated[change])}})
	}
	return report, err
}

// cleanUp deletes everything simulated, even after ctx has ended, unless the cluster ends with the
// process.
func (s *session) cleanUp(ctx context.Context) error {
	if s.clusterFailed() != nil || s.Cluster.Abandon != nil {
		return nil
	}
	s.progress.enter(Cleaning)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	return s.engine.Cleanup(ctx, s.progress.remaining)
}

// versions returns what the simulation is made of, for the results.
func (s *session) versions() map[string]string {
	versions := maps.Clone(s.Cluster.Versions)
	if s.spec.Version != "" {
		if versions == nil {
			versions = map[string]string{}
		}
		versions["simkube"] = s.spec.Version
	}
	return versions
}

// settings returns what the simulation was started with, for the results.
func (s *session) settings() map[string]string {
	settings := map[string]string{
		"time":  string(cmp.Or(s.spec.Time, Real)),
		"nodes": s.plan.Summary,
	}
	// With a seed, paths have additional slashes in front.
	if file := s.spec.Nodes.File; file != "" {
		settings["nodes"] = strings.ReplaceAll(s.plan.Summary, file, filepath.Clean(file))
	}
	if s.spec.SchedulerConfig != "" {
		settings["scheduler configuration"] = filepath.Clean(s.spec.SchedulerConfig)
	}
	if s.spec.Duration > 0 {
		settings["duration"] = s.spec.Duration.String()
	}
	for name, delay := range map[string]time.Duration{
		"image pull delay": s.spec.Delays.ImagePull, "image pull jitter": s.spec.Delays.ImagePullJitter,
		"pod startup delay": s.spec.Delays.PodStartup, "pod startup jitter": s.spec.Delays.PodStartupJitter,
	} {
		if delay > 0 {
			settings[name] = delay.String()
		}
	}
	for i, command := range s.spec.With {
		settings[fmt.Sprintf("program %d", i+1)] = command
	}
	if s.spec.RescheduleInterruptedBarePods {
		settings["interrupted bare pods"] = "rescheduled"
	}
	if s.spec.Seed != 0 {
		settings[results.SettingSeed] = strconv.FormatUint(s.spec.Seed, 10)
	}
	return settings
}

func eventResult(e replay.EventReport) results.Event {
	out := results.Event{
		Index: e.Index, TraceTime: e.TraceTime, Due: e.Due, Started: e.Started, Done: e.Done,
		Lag: e.Lag, Applied: e.Applied, Deleted: e.Deleted,
	}
	for _, p := range e.Problems {
		out.Problems = append(out.Problems, results.Problem{
			Category: string(p.Category),
			Object:   trace.FormatGVK(p.GVK) + " " + trace.NamespacedName(p.Namespace, p.Name),
			Message:  p.Message,
			Time:     p.Time,
		})
	}
	return out
}
