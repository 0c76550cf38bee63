package simulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/cluster/karpenter"
	"simkube.io/simkube/cluster/provisioner"
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
)

const (
	// bootLead is how much virtual time the control plane and its nodes have to start before the first
	// event of the trace.
	bootLead = time.Minute
	// handoverLead is how much more it is for each node that an autoscaler is handed: Karpenter waits
	// between its steps, and fifty nodes take some 12 seconds.
	handoverLead = 400 * time.Millisecond
	// unschedulableTimeout is that of kube-scheduler.
	unschedulableTimeout = 5 * time.Minute
	// stopTimeout bounds an orderly stop of the control plane.
	stopTimeout = 30 * time.Second
)

// run is one simulation.
type run struct {
	spec simulation.Spec
	additions
	log io.Writer
	// report receives notes and progress. It must be safe for concurrent use.
	report func(simulation.Message)
	// began is the machine's time when the simulation began, see virtualtime.Real.
	began time.Duration
	// ends says that the process ends with the simulation, so that the control plane need not be
	// stopped.
	ends bool

	mutator atomic.Pointer[mutate.Mutator]
	// failures is what the simulation wants to be called with events of failed creations.
	failures atomic.Pointer[simulation.CreateFailed]
	// times is how times on the clock correspond to those of the trace, once the replay begins.
	times atomic.Pointer[results.TimeMap]
	// handover is nil without Karpenter.
	handover *karpenter.Handover
	// decisions is what the simulation wants to be called with decisions of the autoscaler.
	decisions atomic.Pointer[func(results.Decision)]
}

// simulate prepares the simulation, starts the control plane and replays the trace on it. An error
// of stopping the control plane afterwards is returned along with the results.
func (r *run) simulate(ctx context.Context) (done *simulation.Done, err error) {
	if virtual := r.spec.Time == simulation.Virtual; virtual != virtualtime.Enabled {
		return nil, fmt.Errorf("this sk-cluster was built for another clock than %q", cmp.Or(r.spec.Time, simulation.Real))
	}
	prepared, err := r.prepare(ctx)
	if err != nil {
		return nil, err
	}
	scaler, err := r.autoscaler()
	if err != nil {
		return nil, err
	}
	programs, err := newPrograms(r.spec)
	if err != nil {
		return nil, err
	}
	opts, err := r.controlPlane(prepared, append(scaler, programs.components()...))
	if err != nil {
		return nil, err
	}
	r.enter(simulation.Starting)
	cp, err := controlplane.Start(ctx, opts)
	if err != nil {
		if ctx.Err() != nil {
			return nil, simulation.ErrInterrupted
		}
		return nil, fmt.Errorf("start the control plane: %w", err)
	}
	if !r.ends {
		defer func() { err = errors.Join(err, stop(ctx, cp)) }()
	}
	var handOver simulation.HandOver
	if r.handover != nil {
		handOver = func(ctx context.Context, nodes []*corev1.Node, opts simulation.HandOverOptions) ([]*corev1.Node, []string, error) {
			return r.handover.Take(ctx, nodes, karpenter.TakeOptions(opts))
		}
	}
	governor := virtualtime.NewGovernor()
	done, err = prepared.Run(ctx, simulation.Runner{
		Cluster: simulation.Cluster{
			Config:     cp.RESTConfig(),
			SetMutator: r.mutator.Store,
			OnFailure:  func(f simulation.CreateFailed) { r.failures.Store(&f) },
			HandOver:   handOver,
			OnReplay:   func(t results.TimeMap) { r.times.Store(&t) },
			OnDecision: func(f func(results.Decision)) { r.decisions.Store(&f) },
			Done:       cp.Done(),
			Err:        cp.Err,
			Abandon:    cp.Abandon,
			RetryPods:  cp.RetryPods,
			Versions:   versions(),
		},
		Clock: clock.RealClock{},
		Log:   slog.New(slog.NewTextHandler(r.log, nil)),
		Report: func(m simulation.Message) {
			if m.Progress != nil {
				governor.Tick()
			}
			r.report(m)
		},
		Wall:    func() time.Duration { return virtualtime.Real() - r.began },
		Options: programs.options(),
	})
	var failed *programError
	if errors.As(err, &failed) {
		return nil, failed // not a failure of the control plane
	}
	return done, err
}

func (r *run) enter(p simulation.Phase) {
	r.report(simulation.Message{Progress: &simulation.Progress{Phase: p}})
}

// prepare reads the trace and, in virtual time, sets the clock.
func (r *run) prepare(ctx context.Context) (*simulation.Prepared, error) {
	r.enter(simulation.Preparing)
	prepared, err := simulation.Prepare(ctx, r.spec)
	if err != nil {
		return nil, err
	}
	if virtualtime.Enabled {
		lead := bootLead
		if r.spec.Autoscaler != nil {
			lead += time.Duration(prepared.Nodes()) * handoverLead
		}
		virtualtime.Set(prepared.ClockOrigin().Add(-lead))
		if err := seed(r.spec.Seed); err != nil {
			return nil, err
		}
	}
	for _, note := range prepared.Notes() {
		r.report(simulation.Message{Note: &note})
	}
	return prepared, nil
}

// controlPlane returns the options of the control plane, which has some components of its own.
func (r *run) controlPlane(prepared *simulation.Prepared, own []controlplane.Component) (controlplane.Options, error) {
	volumes := provisioner.Component(provisioner.Options{DefaultClass: prepared.DefaultClass()})
	opts := controlplane.Options{
		Controllers:      controlplane.SimulationControllers(),
		Definitions:      prepared.Definitions(),
		SchedulerConfig:  r.spec.SchedulerConfig,
		SchedulerPlugins: r.plugins,
		Components:       slices.Concat([]controlplane.Component{volumes}, own, r.components),
		KubeAPIQPS:       r.spec.KubeAPIQPS,
		Minimal:          virtualtime.Enabled,
		Log:              r.log,
		Verbosity:        r.spec.Verbosity,
		MutatePod:        r.mutatePod,
		CreateFailed:     r.createFailed,
	}
	if r.spec.Speed > 1 {
		// The control plane works at the pace of the clock, but this is a delay in the trace.
		opts.UnschedulableTimeout = time.Duration(float64(unschedulableTimeout) / r.spec.Speed)
	}
	var err error
	if opts.CRDs, err = readManifests(r.spec.CRDs); err != nil {
		return opts, err
	}
	opts.Stages, err = readManifests(r.spec.Stages)
	return opts, err
}

// mutatePod is a controlplane.MutatePod. It leaves pods alone until the replay sets a mutator.
func (r *run) mutatePod(ctx context.Context, pod *corev1.Pod, dryRun bool) (bool, error) {
	switch m := r.mutator.Load(); {
	case m == nil:
		return false, nil
	case dryRun:
		return m.Preview(ctx, pod)
	default:
		return m.Mutate(ctx, pod)
	}
}

// createFailed passes on events of failed creations once the replay asks for them.
func (r *run) createFailed(ctx context.Context, event *corev1.Event) {
	if f := r.failures.Load(); f != nil {
		(*f)(ctx, event)
	}
}

// decided passes on decisions of the autoscaler once the replay asks for them.
func (r *run) decided(d results.Decision) {
	if f := r.decisions.Load(); f != nil {
		(*f)(d)
	}
}

// elapsed returns how much of the trace has been replayed at a time on the clock.
func (r *run) elapsed(now time.Time) time.Duration {
	t := r.times.Load()
	if t == nil {
		return 0
	}
	return max(0, t.Trace(now).Sub(t.TraceStart))
}

// stop stops a control plane, also after ctx has ended.
func stop(ctx context.Context, cp *controlplane.ControlPlane) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return cp.Stop(ctx)
}

func readManifests(files []string) ([]controlplane.Manifest, error) {
	var out []controlplane.Manifest
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read manifest: %w", err)
		}
		out = append(out, controlplane.Manifest{Name: file, Data: data})
	}
	return out, nil
}
