package controller

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/allowlist"
)

// Options configure the controller. Namespace and DriverServiceAccount are required.
type Options struct {
	// Config is the configuration with which hooks and the clean-up access the cluster. Nil means the
	// manager's.
	Config *rest.Config
	// Namespace is the controller's own, which holds its leases.
	Namespace string
	// DriverServiceAccount is the service account of drivers, in each driver's namespace.
	DriverServiceAccount string
	// HookCommands allows preStart and postStop hooks that are commands; they run with the
	// controller's permissions. If it is false, simulations with such a hook fail. Hooks that are
	// actions always run.
	HookCommands bool
	// Images are the driver images that simulations may use, and TracePaths the files of nodes that
	// they may mount as traces. The zero values allow none.
	Images     allowlist.Images
	TracePaths allowlist.Paths
	// LeaderElection makes only one of several controllers active.
	LeaderElection bool
	// MetricsAddress and HealthAddress are where metrics and health checks are served; empty or "0"
	// turns them off.
	MetricsAddress, HealthAddress string

	// Clock defaults to the system's clock.
	Clock clock.PassiveClock
	// Logger defaults to none.
	Logger *slog.Logger
	// Registerer registers the metrics. It defaults to controller-runtime's registry.
	Registerer prometheus.Registerer
	// AfterStep, if not nil, is called with the name of every step that has run, before the next
	// starts.
	AfterStep func(ctx context.Context, sim *simkubev1.Simulation, step string)
}

func (o *Options) complete() {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = ctrlmetrics.Registry
	}
	if o.AfterStep == nil {
		o.AfterStep = func(context.Context, *simkubev1.Simulation, string) {}
	}
}
