package driver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/admission"
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/serving"
	"simkube.io/simkube/internal/virtualns"
	"simkube.io/simkube/storage"
)

// leaveTimeout bounds the last write of a driver that is interrupted.
const leaveTimeout = 5 * time.Second

// cleanUpTimeout bounds a clean-up. After a restart, the driver tries again.
const cleanUpTimeout = 5 * time.Minute

// driver is the state of one Run.
type driver struct {
	opts     Options
	log      *slog.Logger
	client   kubernetes.Interface
	dynamic  dynamic.Interface
	storage  *storage.Client
	sim      *simkubev1.Simulation
	rootName string

	status      *status
	checkpoints *checkpoints
	pauses      *pauses
	metrics     *metrics
	mutator     atomic.Pointer[mutate.Mutator]
	// problems is the number of problems of the current repetition.
	problems atomic.Int64
	// repetitions describes those that have ended; nil until the first one of this driver has.
	repetitions *results.Repetitions
	// traceName is what the results call the trace: its URL without secrets.
	traceName string
}

// Run runs the simulation to its end and returns nil. The documentation of the package describes
// errors. When ctx ends, everything is left as it is, for another driver or the controller.
func Run(ctx context.Context, opts Options) error {
	if err := opts.complete(); err != nil {
		return fmt.Errorf("driver: %w", err)
	}
	d, err := newDriver(ctx, opts)
	if err != nil {
		return err
	}
	if opts.Storage == nil {
		defer d.storage.Close()
	}
	return d.run(ctx)
}

func newDriver(ctx context.Context, opts Options) (*driver, error) {
	d := &driver{opts: opts, log: opts.Logger, storage: opts.Storage, rootName: simkubev1.DriverRootName(opts.Pod)}
	if d.storage == nil {
		d.storage = storage.New(storage.Options{})
	}
	// The webhook's requests must not wait for a client-side rate limit. The API server has limits of
	// its own.
	config := rest.CopyConfig(opts.Config)
	config.QPS, config.Burst = -1, -1
	d.opts.Config = config
	var err error
	if d.client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if d.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if d.metrics, err = newMetrics(); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	if d.sim, err = getSimulation(ctx, d.dynamic, opts.Simulation); err != nil {
		return nil, err
	}
	if d.sim.Spec.Driver.VirtualNsPrefix == "" {
		d.sim.Spec.Driver.VirtualNsPrefix = simkubev1.DefaultVirtualNsPrefix
	}
	d.status = newStatus(d.dynamic, d.sim, d.log)
	d.pauses = &pauses{clock: opts.Clock}
	d.pauses.set(d.sim.Spec.PausedTime)
	d.checkpoints, err = d.newCheckpoints(ctx)
	return d, err
}

// newCheckpoints returns checkpoints whose ConfigMap is deleted with the simulation's own objects.
func (d *driver) newCheckpoints(ctx context.Context) (*checkpoints, error) {
	c := &checkpoints{
		client: d.client, namespace: d.opts.Namespace, name: simkubev1.DriverCheckpointName(d.sim.Name), uid: d.sim.UID, log: d.log,
		labels: map[string]string{simkubev1.LabelSimulation: simkubev1.LabelValue(d.sim.Name)}, due: make(chan struct{}, 1),
	}
	metaroot, err := d.dynamic.Resource(roots()).Get(ctx, simkubev1.MetarootName(d.sim.Name), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err): // the driver was started without the controller
		return c, nil
	case err != nil:
		return nil, fmt.Errorf("get the simulation's own root: %w", err)
	}
	c.owner = &metav1.OwnerReference{
		APIVersion: simkubev1.GroupVersion.String(), Kind: "SimulationRoot", Name: metaroot.GetName(), UID: metaroot.GetUID(),
	}
	return c, nil
}

// run does the work, and runs everything that must continue until the work has ended.
func (d *driver) run(ctx context.Context) error {
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	beside, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	for _, serve := range d.servers() {
		running.Go(func() {
			if err := serve(beside); err != nil {
				cancel(err)
			}
		})
	}
	running.Go(func() {
		follow(beside, d.dynamic, d.sim.Name, func(sim *simkubev1.Simulation) { d.changed(work, sim, cancel) })
	})
	running.Go(func() {
		renewLease(beside, d.client, d.opts.ControllerNamespace, d.sim.Name, d.opts.Clock, d.log)
	})
	running.Go(func() { d.status.run(beside, d.opts.Clock) })
	running.Go(func() { d.checkpoints.follow(beside, d.opts.Clock) })

	err := d.end(work, d.work(work))
	if cause := context.Cause(work); cause != nil && err != nil {
		err = errors.Join(cause, d.leave(beside, cause))
	}
	stop()
	running.Wait()
	return err
}

func (d *driver) servers() []func(context.Context) error {
	list := []func(context.Context) error{d.serveWebhook}
	if listener := d.opts.Metrics; listener != nil {
		list = append(list, func(ctx context.Context) error {
			return serving.Run(ctx, d.metrics.server(), listener, metricsTimeout)
		})
	}
	return list
}

func (d *driver) serveWebhook(ctx context.Context) error {
	handler, err := admission.New(admission.Options{Mutator: d.mutator.Load, Logger: d.log, Registerer: d.metrics.registry})
	if err != nil {
		return err
	}
	return admission.Serve(ctx, d.opts.Webhook, d.opts.TLS, handler)
}

// changed handles a change of the simulation.
func (d *driver) changed(ctx context.Context, sim *simkubev1.Simulation, cancel context.CancelCauseFunc) {
	if sim == nil || sim.DeletionTimestamp != nil || sim.UID != d.sim.UID {
		cancel(ErrDeleted)
		return
	}
	if !d.pauses.set(sim.Spec.PausedTime) {
		return
	}
	d.log.InfoContext(ctx, "the simulation was paused or resumed", "paused", d.pauses.paused())
	d.status.change(d.notePaused)
	d.checkpoints.wake()
}

// notePaused updates the metric, and a status.
func (d *driver) notePaused(s *simkubev1.DriverStatus) {
	s.Paused = d.pauses.paused()
	d.metrics.paused.Set(0)
	if s.Paused {
		d.metrics.paused.Set(1)
	}
}

// work runs the simulation, or the rest of it.
func (d *driver) work(ctx context.Context) error {
	before := d.status.get()
	if before.Phase == simkubev1.DriverFinished {
		d.log.InfoContext(ctx, "the simulation was finished before")
		return nil
	}
	if before.Reason != "" {
		return &Failure{Reason: before.Reason, Err: errors.New(before.Message)}
	}
	if err := d.status.prepare(ctx); err != nil {
		return err
	}
	err := d.status.save(ctx, func(s *simkubev1.DriverStatus) {
		if s.Pod != "" {
			s.Restarts++
		}
		s.Pod, s.Phase, s.Message = d.opts.Pod, simkubev1.DriverPreparing, ""
		d.notePaused(s)
	})
	if err != nil {
		return err
	}
	checkpoint, err := d.takeOver(ctx)
	if err != nil {
		return err
	}
	if err := checkResults(d.sim.Spec.Results); err != nil {
		return err
	}
	if err := os.MkdirAll(d.opts.WorkDir, 0o700); err != nil {
		return fmt.Errorf("make the work folder: %w", err)
	}
	path, err := d.fetch(ctx)
	if err != nil {
		return err
	}
	for run := int32(1); run <= d.runs(); run++ {
		if err := d.repetition(ctx, run, path, checkpoint); err != nil {
			return err
		}
	}
	return nil
}

// takeOver loads the checkpoint, and deletes what earlier drivers created and cannot be continued.
func (d *driver) takeOver(ctx context.Context) (*saved, error) {
	checkpoint, err := d.checkpoints.load(ctx)
	if err != nil {
		return nil, err
	}
	if checkpoint != nil {
		d.rootName = checkpoint.Checkpoint.Root.Name
	}
	selector := labels.Set(simkubev1.SimulatedLabels(d.sim.Name)).String()
	list, err := d.dynamic.Resource(roots()).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("look for earlier drivers: %w", err)
	}
	for i := range list.Items {
		if name := list.Items[i].GetName(); name != d.rootName {
			d.log.InfoContext(ctx, "clean up after an earlier driver", "root", name)
			if err := d.cleanUp(ctx, name); err != nil {
				return nil, err
			}
		}
	}
	return checkpoint, nil
}

// cleanUp deletes the root and everything below it.
func (d *driver) cleanUp(ctx context.Context, root string) error {
	engine, err := replay.New(d.opts.Config, replay.Options{
		Simulation: d.sim.Name, RootName: root, Namespaces: virtualns.New(d.sim.Spec.Driver.VirtualNsPrefix), Logger: d.log, Clock: d.opts.Clock,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, cleanUpTimeout)
	defer cancel()
	return engine.Cleanup(ctx, func(left replay.Remaining) {
		d.status.change(func(s *simkubev1.DriverStatus) {
			s.Phase = simkubev1.DriverCleaning
			if s.Reason == "" && len(left) > 0 {
				s.Message = "waits until these are gone: " + left.String()
			}
		})
	})
}

// failed writes a failure, cleans up, and writes that the failure is final.
func (d *driver) failed(ctx context.Context, failure *Failure) error {
	before := d.status.get()
	if before.Phase == simkubev1.DriverFailed {
		return nil
	}
	if before.Reason == "" {
		d.event(ctx, corev1.EventTypeWarning, failure.Reason, failure.Err.Error())
	}
	if err := d.status.save(ctx, func(s *simkubev1.DriverStatus) { note(s, failure) }); err != nil {
		return err
	}
	if err := d.cleanUp(ctx, d.rootName); err != nil {
		return err
	}
	return d.status.save(ctx, func(s *simkubev1.DriverStatus) { s.Phase, s.Paused = simkubev1.DriverFailed, false })
}

// leave saves a checkpoint for the next driver.
func (d *driver) leave(ctx context.Context, cause error) error {
	if errors.Is(cause, ErrDeleted) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	return d.checkpoints.write(ctx)
}

// end writes how the simulation ended. An error that a restart may fix is only a message. A failure
// is written before the clean-up, so that the next driver continues with that.
func (d *driver) end(ctx context.Context, err error) error {
	var failed *Failure
	switch {
	case err == nil:
		d.log.InfoContext(ctx, "the simulation is finished")
		return d.status.save(ctx, func(s *simkubev1.DriverStatus) { s.Phase, s.Message, s.Paused = simkubev1.DriverFinished, "", false })
	case errors.As(err, &failed):
		return cmp.Or(d.failed(ctx, failed), err)
	case ctx.Err() != nil:
		return err
	}
	// The message is optional: a driver that cannot write its status is restarted too.
	if saveErr := d.status.save(ctx, func(s *simkubev1.DriverStatus) { s.Message = err.Error() }); saveErr != nil {
		d.log.WarnContext(ctx, "why the driver ends was not written", "error", saveErr)
	}
	return err
}
