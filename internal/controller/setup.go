package controller

import (
	"cmp"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlcontroller "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

const (
	leaderElectionID = "sk-ctrl-leader"
	// workers is how many simulations are reconciled at once. Hooks may occupy some of them for
	// minutes while the webhook of another simulation needs to be repaired.
	workers = 64
	// qps and burst limit the requests per second, unless the configuration does.
	qps, burst = 50, 100
	// minRetryDelay and maxRetryDelay bound the backoff after errors.
	minRetryDelay, maxRetryDelay = 200 * time.Millisecond, 30 * time.Second
)

// NewManager returns a manager with the controller set up in it. Its cache holds only what belongs
// to drivers, and no Secrets.
func NewManager(config *rest.Config, opts Options) (ctrl.Manager, error) {
	opts.complete()
	if config = rest.CopyConfig(config); config.QPS == 0 {
		config.QPS, config.Burst = qps, burst
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, simkubev1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("create a scheme: %w", err)
		}
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Logger:                        logr.FromSlogHandler(opts.Logger.Handler()),
		Cache:                         cacheOptions(),
		LeaderElection:                opts.LeaderElection,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       opts.Namespace,
		LeaderElectionReleaseOnCancel: true, // the process ends with the manager
		Metrics:                       metricsserver.Options{BindAddress: cmp.Or(opts.MetricsAddress, "0")},
		HealthProbeBindAddress:        cmp.Or(opts.HealthAddress, "0"),
	})
	if err != nil {
		return nil, fmt.Errorf("create a manager: %w", err)
	}
	for _, add := range []func(string, healthz.Checker) error{manager.AddHealthzCheck, manager.AddReadyzCheck} {
		if err := add("ping", healthz.Ping); err != nil {
			return nil, fmt.Errorf("add a health check: %w", err)
		}
	}
	return manager, Setup(manager, opts)
}

func cacheOptions() cache.Options {
	return cache.Options{ByObject: map[client.Object]cache.ByObject{
		&batchv1.Job{}: {Label: labels.SelectorFromSet(labels.Set{objects.LabelManagedBy: objects.ControllerName})},
		&corev1.Pod{}: {Label: labels.SelectorFromSet(labels.Set{
			objects.LabelManagedBy: objects.ControllerName, objects.LabelName: objects.DriverApp,
		})},
		&admissionv1.MutatingWebhookConfiguration{}: {Label: labels.SelectorFromSet(labels.Set{objects.LabelManagedBy: objects.ControllerName})},
	}}
}

// Setup adds the controller to a manager. The manager's scheme must include this API, and its cache
// the drivers' jobs and pods; see [NewManager].
func Setup(manager ctrl.Manager, opts Options) error {
	opts.complete()
	if opts.Config == nil {
		opts.Config = manager.GetConfig()
	}
	c := &controller{
		opts:     opts,
		client:   manager.GetClient(),
		reader:   checkedReader{manager.GetAPIReader()},
		recorder: manager.GetEventRecorder(objects.ControllerName),
		metrics:  newMetrics(manager.GetClient()),
		retries:  workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minRetryDelay, maxRetryDelay),
	}
	if err := c.metrics.register(opts.Registerer); err != nil {
		return err
	}
	err := ctrl.NewControllerManagedBy(manager).
		Named("simulation").
		For(&simkubev1.Simulation{}, builder.WithPredicates(relevantChanges())).
		Watches(&simkubev1.Simulation{}, handler.Funcs{UpdateFunc: c.wakeAfterUpdate, DeleteFunc: c.wakeAfterDelete}).
		Watches(&batchv1.Job{}, handler.EnqueueRequestsFromMapFunc(simulationOf)).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(simulationOf)).
		WatchesRawSource(watchWebhooks(manager.GetCache())).
		WithOptions(ctrlcontroller.Options{
			MaxConcurrentReconciles: workers,
			SkipNameValidation:      new(true), // tests run several controllers in a process
			RateLimiter:             c.retries,
		}).
		Complete(c)
	if err != nil {
		return fmt.Errorf("create the controller: %w", err)
	}
	return nil
}
