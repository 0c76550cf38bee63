package simulation

import (
	"cmp"
	"time"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/nodes"
)

// Spec says what one simulation is to do. It is sent to the process that runs the control plane
// as JSON; durations are nanoseconds.
type Spec struct {
	// Name is the simulation's name, a DNS label: it goes into names and labels.
	Name string `json:"name"`
	// Trace is the path of the trace file.
	Trace string `json:"trace"`
	// TraceName is what the results call the trace, where that is not its path.
	TraceName string `json:"traceName,omitempty"`
	// Output is the folder to write the results to. Overwrite allows one that exists.
	Output    string `json:"output"`
	Overwrite bool   `json:"overwrite,omitempty"`
	// Spare is a folder below which the results are written if that does not work where they are to
	// go; empty means that the simulation fails then.
	Spare string `json:"spare,omitempty"`
	// Scratch is a folder that who started the simulation has made for it, and removes; empty means
	// that there is none.
	Scratch string `json:"scratch,omitempty"`
	// Time is the clock to replay on; empty means Real.
	Time Time `json:"time,omitempty"`
	// Speed divides the gaps between events and the lifetimes of pods; 0 means 1. The control plane's own
	// timers keep the wall clock.
	Speed float64 `json:"speed,omitempty"`
	// Duration cuts the trace short, in trace time from its first event; 0 replays all of it. With Extend, a
	// longer one has the simulation go on until then.
	Duration time.Duration `json:"duration,omitempty"`
	Extend   bool          `json:"extend,omitempty"`
	// Nodes are the simulated nodes. With ExistingNodes none are made: those of the cluster have to do.
	Nodes         nodes.Spec `json:"nodes"`
	ExistingNodes bool       `json:"existingNodes,omitempty"`
	// SchedulerConfig is the path of a KubeSchedulerConfiguration, or empty.
	SchedulerConfig string `json:"schedulerConfig,omitempty"`
	// CRDs and Stages are paths of manifests to add to the control plane.
	CRDs   []string `json:"crds,omitempty"`
	Stages []string `json:"stages,omitempty"`
	// KubeAPIQPS is the client-side rate limit of scheduler and controllers: 0 as in a default cluster,
	// below 0 none.
	KubeAPIQPS float32 `json:"kubeAPIQPS,omitempty"`
	// Delays are how long pods take to start.
	Delays mutate.Delays `json:"delays"`
	// RescheduleInterruptedBarePods makes a new copy of a bare pod that lost its node or its place.
	RescheduleInterruptedBarePods bool `json:"rescheduleInterruptedBarePods,omitempty"`
	// NamespacePrefix precedes the names of simulated namespaces.
	NamespacePrefix string `json:"namespacePrefix"`
	// Seed makes a simulation in virtual time repeat itself: two with the same seed, trace and settings come to
	// the same. 0 leaves it to chance. On the wall clock it has no effect.
	Seed uint64 `json:"seed,omitempty"`
	// Align waits for up to a minute before the replay, so that the wall clock's seconds are those of the
	// trace and CronJobs fire at the offsets they were recorded at. It has no effect on a trace
	// without CronJobs or at a speed other than 1.
	Align bool `json:"align,omitempty"`
	// Verbosity is the log verbosity of the control plane's components.
	Verbosity int `json:"verbosity,omitempty"`
}

// Time is a kind of clock.
type Time string

const (
	// Real is the wall clock.
	Real Time = "real"
	// Virtual is a clock that stands at the trace's first event when that is replayed, stands still while anything
	// runs, and jumps over the time in which nothing does. It needs an sk-cluster built for it.
	Virtual Time = "virtual"
)

// TraceLabel gives what the results call the trace.
func (s *Spec) TraceLabel() string { return cmp.Or(s.TraceName, s.Trace) }
