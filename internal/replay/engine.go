package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/trace"
)

const (
	defaultConcurrency = 128
	defaultRetryFor    = 30 * time.Second
)

// Options are the settings of an Engine. Only Simulation is needed.
type Options struct {
	// Simulation is the simulation's name.
	Simulation string
	// RootName is the name of the SimulationRoot; empty means "sk-<simulation>-root".
	RootName string
	// NamespacePrefix begins the names of simulated namespaces; empty means the default.
	NamespacePrefix string
	// Shared says that the cluster has other workloads. What of the trace would act on them is
	// renamed, changed or left out: see the package's documentation.
	Shared bool
	// Speed is how many seconds of the trace go by in one; 0 means 1.
	Speed float64
	// RescheduleInterruptedBarePods has a bare pod that was evicted, preempted or lost with its node start
	// again, as a clone.
	RescheduleInterruptedBarePods bool
	// FailFast ends a run at its first Problem.
	FailFast bool
	// Concurrency is how many requests are under way at most; 0 means 128.
	Concurrency int
	// RetryFor bounds how long a request that failed for a passing reason is tried again; 0 means 30 s.
	RetryFor time.Duration
	// Logger gets what is worth knowing when something goes wrong; nil means none.
	Logger *slog.Logger
	// Clock tells the time and waits for it; nil means the system's clock.
	Clock clock.Clock
	// OnEvent is told of every event that is done. Calls do not overlap; they come in the order in which
	// events are done, which may not be that of the trace. It must return soon.
	OnEvent func(EventReport)
	// OnCheckpoint is called with how many leading steps of the plan are done, whenever there are more: the value of
	// Plan.Done after a restart. Calls do not overlap, and the numbers only grow. It must return soon.
	OnCheckpoint func(done int)
}

// complete fills the defaults in and checks the rest.
func (o *Options) complete() error {
	if o.Simulation == "" {
		return errors.New("no simulation name")
	}
	if o.RootName == "" {
		o.RootName = "sk-" + o.Simulation + "-root"
	}
	if o.NamespacePrefix == "" {
		o.NamespacePrefix = simkubev1.DefaultVirtualNsPrefix
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if !(o.Speed > 0) || math.IsInf(o.Speed, 1) {
		return fmt.Errorf("speed %v is not a positive number", o.Speed)
	}
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.RetryFor <= 0 {
		o.RetryFor = defaultRetryFor
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.OnEvent == nil {
		o.OnEvent = func(EventReport) {}
	}
	if o.OnCheckpoint == nil {
		o.OnCheckpoint = func(int) {}
	}
	return nil
}

// Plan is what to replay, and when.
type Plan struct {
	// Config is that of the trace: it says where the pod templates are. Nil means that of the known kinds.
	Config *trace.Config
	// Events are those of the trace, in order; each need only be valid until the next.
	Events iter.Seq2[*trace.Event, error]
	// Actions are due at their times too, in any order; of those with the same time the first goes first. An action is
	// started after the events of its second, and holds no event up. Actions are run one after the other.
	Actions []Action
	// Done is how many of the first steps, which are events and actions, were completely done by the run that this one
	// continues. They are neither repeated nor counted. See Engine.AdoptRoot.
	Done int
	// Origin is the time of the trace, in unix seconds, that happens at Start.
	Origin int64
	// Start is the deadline that all others are computed from; zero means now.
	Start time.Time
	// Pause, if not nil, pauses the replay. With a Start, every pause it ever had moves what is due, also one before Run
	// (whoever decides on a Start during a pause takes Pause.Shift off it); without a Start, only what is paused after
	// Run began does.
	Pause *Pauser
	// Duration bounds the replay, in trace time from the origin: nothing later is applied. 0 means no bound.
	Duration time.Duration
	// Settle, if not nil, is called when all events are done, and Run returns when it does. Interrupted bare
	// pods are rescheduled until then.
	Settle func(ctx context.Context) error
}

// Engine replays a trace below one root object. Its methods must not be called concurrently.
type Engine struct {
	opts   Options
	target target
	root   mutate.Root
	// adopted says that the root is that of an earlier run, which is taken up.
	adopted bool
}

// New makes an engine that talks to the cluster of a configuration, whose rate limits are ignored.
func New(config *rest.Config, opts Options) (*Engine, error) {
	target, err := newCluster(config)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return newEngine(target, opts)
}

func newEngine(target target, opts Options) (*Engine, error) {
	if err := opts.complete(); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return &Engine{opts: opts, target: target}, nil
}
