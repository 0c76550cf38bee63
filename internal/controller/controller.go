package controller

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	simkubev1 "simkube.io/simkube/api/v1"
)

// silentRetries is how many errors in a row are not reported in the condition Ready. Most errors
// are gone by then, and the condition keeps its reason and transition time, which say how long
// something has been missing or that the simulation runs.
const silentRetries = 4

// controller reconciles Simulations.
type controller struct {
	opts Options
	// client reads from the cache. reader bypasses it.
	client   client.Client
	reader   client.Reader
	recorder events.EventRecorder
	metrics  *metrics

	// turns is held from deciding which simulations may run until that is written to their status.
	turns sync.Mutex
	// certificates is held while a shared certificate or the bundles that trust it change.
	certificates sync.Mutex
	// retries is the work queue's rate limiter. It counts the errors in a row of each simulation.
	retries workqueue.TypedRateLimiter[reconcile.Request]
}

// Reconcile runs the steps of a simulation as far as possible.
func (c *controller) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	s := &session{
		controller: c,
		log:        c.opts.Logger.With("simulation", request.Name),
		sim:        &simkubev1.Simulation{ObjectMeta: metav1.ObjectMeta{Name: request.Name}},
	}
	err := c.reader.Get(ctx, request.NamespacedName, s.sim)
	if apierrors.IsNotFound(err) {
		return c.reconcileDeleted(ctx, request.Name)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	return s.reconcile(ctx)
}

// reconcileDeleted removes what a simulation may have left that was deleted while this controller
// was not running: its name in the lease and its webhook.
func (c *controller) reconcileDeleted(ctx context.Context, simulation string) (reconcile.Result, error) {
	if err := c.holdLease(ctx, ""); err != nil {
		return reconcile.Result{}, err
	}
	err := c.deleteOrphanedWebhook(ctx, simulation)
	if errors.Is(err, errNamespacesLeft) {
		return reconcile.Result{RequeueAfter: maxRetryDelay}, nil
	}
	return reconcile.Result{}, err
}

// reconcile runs steps until one waits or nothing is left to do. A step may change which plan
// applies.
func (s *session) reconcile(ctx context.Context) (reconcile.Result, error) {
	for {
		name, steps := plan(s.sim)
		err := s.explainForbidden(name, s.run(ctx, steps))
		var failed *failure
		var wait *waiting
		switch {
		case ctx.Err() != nil:
			return reconcile.Result{}, nil // the next process continues
		case err == nil:
			if next, _ := plan(s.sim); next == name {
				return reconcile.Result{}, nil
			}
		case errors.As(err, &failed) && name == planSetUp:
			if err := s.failed(ctx, failed); err != nil {
				return reconcile.Result{}, client.IgnoreNotFound(err)
			}
		case errors.As(err, &wait):
			if wait.reason != "" {
				if err := s.ready(ctx, "", metav1.ConditionFalse, wait.reason, wait.message); err != nil {
					return reconcile.Result{}, client.IgnoreNotFound(err)
				}
			}
			return reconcile.Result{RequeueAfter: wait.after}, nil
		default:
			return s.retry(ctx, err)
		}
	}
}

// run runs steps in order until one returns an error.
func (s *session) run(ctx context.Context, steps []step) error {
	for _, step := range steps {
		err := step.run(s, ctx)
		var wait *waiting
		if err != nil && !errors.As(err, &wait) {
			if !apierrors.IsConflict(err) {
				s.metrics.failures.WithLabelValues(step.name).Inc()
			}
			return &stepError{step.name, err}
		}
		s.log.Log(ctx, slog.LevelDebug, "ran a step", "step", step.name, "done", err == nil)
		s.opts.AfterStep(ctx, s.sim, step.name)
		if err != nil {
			return err
		}
	}
	return nil
}

// retry returns an error to the queue, which runs the simulation again. An error that persists is
// reported in the status.
func (s *session) retry(ctx context.Context, err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		// The cached object was out of date. This is not a failure.
		s.log.DebugContext(ctx, "retrying a step", "error", err)
		return reconcile.Result{RequeueAfter: minRetryDelay}, nil
	}
	if s.retries.NumRequeues(requestFor(s.sim.Name)) < silentRetries {
		return reconcile.Result{}, err
	}
	if statusErr := s.ready(ctx, "", metav1.ConditionFalse, reasonError, err.Error()); client.IgnoreNotFound(statusErr) != nil {
		err = errors.Join(err, statusErr)
	}
	return reconcile.Result{}, err
}

// stepError is an error with the name of its step.
type stepError struct {
	step string
	err  error
}

func (e *stepError) Error() string { return "step " + e.step + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }
