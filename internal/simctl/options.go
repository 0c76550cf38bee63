package simctl

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Options are the settings of the controller. Namespace and DriverServiceAccount are needed.
type Options struct {
	// Config is how hooks and the clean-up reach the cluster; nil means as the manager does.
	Config *rest.Config
	// Namespace is the controller's own, where its leases are.
	Namespace string
	// DriverServiceAccount is the service account of drivers, in each driver's namespace.
	DriverServiceAccount string
	// ForbidHookCommands fails simulations with a preStart or postStop hook that is a command: such a hook runs with the
	// controller's rights. Hooks that are actions go on.
	ForbidHookCommands bool
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
