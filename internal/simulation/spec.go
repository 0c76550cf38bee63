package simulation

import (
	"cmp"
	"time"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/nodes"
)

// Spec is what one simulation does. It is sent to the process that runs the control plane as JSON;
// durations are nanoseconds.
type Spec struct {
	// Name is the simulation's name, a DNS label: it becomes part of names and labels.
	Name string `json:"name"`
	// Trace is the path of the trace file.
	Trace string `json:"trace"`
	// TraceName is what the results call the trace; empty means its path.
	TraceName string `json:"traceName,omitempty"`
	// Version is the version of SimKube that the results name; empty for none.
	Version string `json:"version,omitempty"`
	// Output is the folder of the results. It must not exist unless Overwrite is set.
	Output    string `json:"output"`
	Overwrite bool   `json:"overwrite,omitempty"`
	// Spare is a folder below which the results are written if writing them to Output fails; empty
	// means that the simulation fails then.
	Spare string `json:"spare,omitempty"`
	// Scratch is a temporary folder, which the process that started the simulation created and
	// removes; it may be empty.
	Scratch string `json:"scratch,omitempty"`
	// Time is the clock to replay on; empty means Real.
	Time Time `json:"time,omitempty"`
	// Speed divides the time between events and the lifetimes of pods; 0 means 1. The control plane's
	// own timers are not affected.
	Speed float64 `json:"speed,omitempty"`
	// Duration cuts the trace short, in trace time from its first event; 0 replays all of it. With
	// Extend, a longer duration extends the simulation until then.
	Duration time.Duration `json:"duration,omitempty"`
	Extend   bool          `json:"extend,omitempty"`
	// Nodes are the simulated nodes. With ExistingNodes, none are created, and those of the cluster
	// are used: it has other workloads, which the simulation does not affect.
	Nodes         nodes.Spec `json:"nodes"`
	ExistingNodes bool       `json:"existingNodes,omitempty"`
	// Autoscaler adds and removes nodes; nil means that none does. With it, nodes that are not given
	// as a number or a file are its own: there are none at the start.
	Autoscaler *Autoscaler `json:"autoscaler,omitempty"`
	// With are command lines of programs that run beside the replay, on the wall clock only.
	With []string `json:"with,omitempty"`
	// SchedulerConfig is the path of a KubeSchedulerConfiguration, or empty.
	SchedulerConfig string `json:"schedulerConfig,omitempty"`
	// CRDs and Stages are paths of manifests that are added to the control plane.
	CRDs   []string `json:"crds,omitempty"`
	Stages []string `json:"stages,omitempty"`
	// KubeAPIQPS is the client-side rate limit of the scheduler and the controllers: 0 means that of a
	// default cluster, a negative value none.
	KubeAPIQPS float32 `json:"kubeAPIQPS,omitempty"`
	// Delays are how long pods take to start.
	Delays mutate.Delays `json:"delays"`
	// RescheduleInterruptedBarePods creates a clone of a bare pod that was evicted, preempted, or lost
	// with its node.
	RescheduleInterruptedBarePods bool `json:"rescheduleInterruptedBarePods,omitempty"`
	// NamespacePrefix is the prefix of the names of simulated namespaces on existing nodes; empty
	// means the default.
	NamespacePrefix string `json:"namespacePrefix,omitempty"`
	// CustomControllers is what makes the pods of custom workloads; empty means StandIn. With
	// ExistingNodes, the cluster has to have the controllers.
	CustomControllers CustomControllers `json:"customControllers,omitempty"`
	// Seed makes a simulation in virtual time reproducible: two with the same seed, trace and settings
	// have the same results. 0 means a random one. It has no effect on the wall clock.
	Seed uint64 `json:"seed,omitempty"`
	// Align waits for up to a minute before the replay, until the wall clock shows the seconds of the
	// trace, so that CronJobs start at the offsets that were recorded. It has no effect on a trace
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
	// Virtual is a clock that shows the time of the first event when that is replayed, stands still
	// while anything runs, and jumps ahead when nothing does. It needs an sk-cluster that is built for
	// it.
	Virtual Time = "virtual"
)

// TraceLabel returns what the results call the trace.
func (s *Spec) TraceLabel() string { return cmp.Or(s.TraceName, s.Trace) }
