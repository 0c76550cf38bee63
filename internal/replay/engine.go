package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/order"
	"simkube.io/simkube/internal/virtualns"
	"simkube.io/simkube/trace"
)

const (
	defaultConcurrency = 128
	defaultRetryFor    = 30 * time.Second
)

// Options are the options of an Engine. Only Simulation is required.
type Options struct {
	// Simulation is the simulation's name.
	Simulation string
	// RootName is the name of the SimulationRoot; empty means "sk-<simulation>-root".
	RootName string
	// Shared must be true if the cluster has other workloads. Namespaces then have a prefix, and
	// objects of the trace that would affect other workloads are renamed, changed or left out: see the
	// package's documentation. Otherwise the cluster belongs to the trace, whose objects are applied
	// as they were recorded.
	Shared bool
	// Namespaces are the names of simulated namespaces in a shared cluster; nil means those with the
	// default prefix.
	Namespaces *virtualns.Names
	// Hostnames are the values of the label kubernetes.io/hostname of the nodes. Unless the cluster is
	// shared, recorded local volumes of other hosts can be used on all nodes.
	Hostnames []string
	// Speed is how many seconds of the trace pass in one second; 0 means 1.
	Speed float64
	// RescheduleInterruptedBarePods makes a clone of a bare pod that was evicted, preempted, or lost
	// with its node.
	RescheduleInterruptedBarePods bool
	// FailFast ends a run at its first Problem.
	FailFast bool
	// Concurrency is the maximum number of concurrent requests; 0 means 128.
	Concurrency int
	// RetryFor is how long a request is retried if a retry may succeed; 0 means 30 s.
	RetryFor time.Duration
	// Logger logs problems of the engine; nil discards them.
	Logger *slog.Logger
	// Clock is the clock of all deadlines; nil means the system's clock.
	Clock clock.Clock
	// OnApplied is called for every object that was applied. It may be called concurrently, and must
	// return soon.
	OnApplied func(gvk schema.GroupVersionKind, resource schema.GroupVersionResource)
	// BeforeDelete, if not nil, is called for each namespace, pod, volume claim, and object with a pod
	// template that will be deleted. The function that it returns is called when the deletion is due.
	// If it returns a time, it is called again after that, and the object is deleted when it returns
	// 0. Both must return soon, and are called concurrently for different objects.
	BeforeDelete func(Deletion) func(ctx context.Context) time.Duration
	// OnDeleted, if not nil, is called with the UID of every object that was deleted. It may be called
	// concurrently, and must return soon.
	OnDeleted func(types.UID)
	// OnEvent is called for every event that is done. Calls do not overlap. They are in the order in
	// which events are done, which may differ from that of the trace. It must return soon.
	OnEvent func(EventReport)
	// OnCheckpoint is called with the number of leading steps that are done, whenever it has grown:
	// the value of Plan.Done after a restart. Calls do not overlap. It must return soon.
	OnCheckpoint func(done int)
}

// Deletion is an object that is to be deleted.
type Deletion struct {
	Kind schema.GroupKind
	// Namespace and Name are those of the trace. The namespace of a Namespace is empty.
	Namespace, Name string
}

// complete sets the defaults and validates the rest.
func (o *Options) complete() error {
	if o.Simulation == "" {
		return errors.New("no simulation name")
	}
	if o.RootName == "" {
		o.RootName = "sk-" + o.Simulation + "-root"
	}
	if o.Namespaces == nil {
		o.Namespaces = virtualns.New("")
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if !(o.Speed > 0) || math.IsInf(o.Speed, 1) {
		return fmt.Errorf("invalid speed %v: must be a positive number", o.Speed)
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
	if o.OnApplied == nil {
		o.OnApplied = func(schema.GroupVersionKind, schema.GroupVersionResource) {}
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
	// Config is that of the trace: it has the paths of pod templates. Nil means those of the known
	// kinds.
	Config *trace.Config
	// Events are those of the trace, in order. An event need only be valid until the next.
	Events iter.Seq2[*trace.Event, error]
	// Orders says in which order objects were applied and deleted that an event does both with. Nil
	// means that nothing but the events is known.
	Orders *order.Orders
	// Lifecycles are those of the recorded pods. They tell which Jobs of CronJobs were running when
	// the trace began: those are created with the CronJobs. Nil means none.
	Lifecycles *lifecycle.Store
	// Actions are the actions of the run, in any order. An action is started after the events of its
	// second; actions with the same time keep their order.
	Actions []Action
	// Done is how many leading steps, which are events and actions, were completely done by the run
	// that this one continues. They are neither repeated nor counted. See Engine.AdoptRoot.
	Done int
	// Origin is the time of the trace, in unix seconds, that corresponds to Start.
	Origin int64
	// Start is the time from which all deadlines are computed; zero means now.
	Start time.Time
	// Pause, if not nil, pauses the replay. With a Start, all its pauses shift deadlines, including
	// those before Run: if Start is computed during a pause, subtract Pause.Shift. Without a Start,
	// only the time that is paused after Run began counts.
	Pause *Pauser
	// Duration bounds the replay, in trace time from the origin: no later step is started. 0 means no
	// bound.
	Duration time.Duration
	// Settle, if not nil, is called when all steps are done, before Run returns. Interrupted bare pods
	// are rescheduled until it returns.
	Settle func(ctx context.Context) error
}

// Engine replays a trace below one root object. Its methods must not be called concurrently.
type Engine struct {
	opts   Options
	target target
	root   mutate.Root
	// adopted reports whether the root is that of an earlier run, which is continued.
	adopted bool
}

// New returns an engine for the cluster of a configuration, whose rate limit is ignored.
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
