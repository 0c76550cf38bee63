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

// Options are the settings of the controller. Namespace and DriverServiceAccount are needed.
type Options struct {
	// Config is how hooks and the clean-up reach the cluster; nil means as the manager does.
	Config *rest.Config
	// Namespace is the controller's own, where its leases are.
	Namespace string
	// DriverServiceAccount is the service account of drivers, in each driver's namespace.
	DriverServiceAccount string
	// HookCommands runs preStart and postStop hooks that are commands, with the controller's
	// rights. Without it, simulations with such a hook fail. Hooks that are actions run in any
	// case.
	HookCommands bool
	// Images are the images that simulations may name for their drivers, and TracePaths the files
	// of nodes that they may name as their traces. The zero values allow none.
	Images     allowlist.Images
	TracePaths allowlist.Paths
	// LeaderElection has one of several controllers work.
	LeaderElection bool
	// MetricsAddress and HealthAddress are where metrics and health are served; empty or "0" means nowhere.
	MetricsAddress, HealthAddress string

	// Clock tells the time; nil means the system's.
	Clock clock.PassiveClock
	// Logger gets what happens; nil means none.
	Logger *slog.Logger
	// Registerer gets the metrics; nil means controller-runtime's registry.
	Registerer prometheus.Registerer
	// AfterStep is told of every step that was done, by its name, before the next begins; nil means nobody is.
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
