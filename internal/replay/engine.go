package replay

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/trace"
)

// Options are the settings of an Engine. Only Simulation is needed.
type Options struct {
	// Simulation is the simulation's name.
	Simulation string
	// RootName is the name of the SimulationRoot; empty means "sk-<simulation>-root".
	RootName string
	// NamespacePrefix begins the names of simulated namespaces; empty means the default.
	NamespacePrefix string
	// Speed is how many seconds of the trace go by in one; 0 means 1.
	Speed float64
	// RescheduleInterruptedBarePods has a bare pod that was evicted, preempted or lost with its node start
	// again, as a clone.
	RescheduleInterruptedBarePods bool
	// Concurrency is how many requests are under way at most; 0 means 32.
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
}

// Plan is what to replay, and when.
type Plan struct {
	// Config is that of the trace: it says where the pod templates are.
	Config *trace.Config
	// Events are those of the trace, in order; each need only be valid until the next.
	Events iter.Seq2[*trace.Event, error]
	// Origin is the time of the trace, in unix seconds, that happens at Start.
	Origin int64
	Start  time.Time
	// Duration bounds the replay, in trace time from the origin: nothing later is applied. 0 means no bound.
	Duration time.Duration
}

// Engine replays a trace below one root object. Its methods must not be called concurrently.
type Engine struct{}

// New makes an engine that talks to the cluster of a configuration, whose rate limits are ignored.
func New(config *rest.Config, opts Options) (*Engine, error) { return nil, errors.ErrUnsupported }

// CreateRoot makes the root object and returns it. One that an earlier run of the same simulation left
// behind is cleaned up first, with everything below it.
func (e *Engine) CreateRoot(ctx context.Context) (mutate.Root, error) {
	return mutate.Root{}, errors.ErrUnsupported
}

// Run replays the events and returns when the last one is done, or, with a Duration that cuts the trace
// off, when that has passed. Objects that cannot be applied do not stop it: they are Problems of the report.
//
// When ctx ends, requests under way are finished, no more are made, and the report so far comes with the
// context's error. An error from the events has everything before it replayed, and comes with the report too.
func (e *Engine) Run(ctx context.Context, plan Plan) (Report, error) {
	return Report{}, errors.ErrUnsupported
}

// Remaining is what Cleanup still waits for: numbers of objects by kind, "v1.Pod".
type Remaining map[string]int

// Cleanup deletes the root object and everything that belongs to the simulation, and returns when all of it is
// gone. It works after any of the other methods, however they ended, and in an engine made anew. progress,
// if not nil, is told what remains, about once per second. When ctx ends first, the error names what is left.
func (e *Engine) Cleanup(ctx context.Context, progress func(Remaining)) error {
	return errors.ErrUnsupported
}
