package simulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
)

// Simulation says what to simulate. Trace and Output are required; the zero value of every other
// field is a default. The clock is that of the program: the wall clock, unless it is built for
// virtual time.
type Simulation struct {
	// Trace is the path of the trace file.
	Trace string
	// Output is the folder to write the results to. It must not exist, or hold results and Overwrite
	// be set.
	Output    string
	Overwrite bool
	// Name is the simulation's name, a DNS label of at most 40 characters. Default: "simulation".
	Name string

	// Nodes are the simulated nodes: "auto" for as many as the trace needs, a number, or the path of a
	// file of Node manifests. Default: "auto".
	Nodes string
	// NodeShape is what a counted node offers, such as "cpu=32,memory=128Gi,pods=110".
	NodeShape string
	// SchedulerConfig is the path of a KubeSchedulerConfiguration file.
	SchedulerConfig string
	// SchedulerPlugins register scheduler plugins, see app.WithPlugin. SchedulerConfig enables them.
	SchedulerPlugins []app.Option
	// Components are added to the control plane, in this order.
	Components []controlplane.Component
	// CRDs and Stages are paths of manifests of custom resource definitions and of KWOK stages.
	CRDs   []string
	Stages []string
	// KubeAPIQPS is the client-side rate limit of the scheduler and of each controller, in requests
	// per second. 0 means that of a default cluster, a negative value none.
	KubeAPIQPS float32

	// Speed is how many seconds of the trace pass in a second of the clock. Default: 1, as it must be
	// in virtual time.
	Speed float64
	// Duration limits the replay to a part of the trace, in trace time from its first event. Default:
	// all of it.
	Duration time.Duration
	// Delays are how long pods take to start.
	Delays Delays
	// RescheduleInterruptedBarePods makes a new copy of a pod without an owner that something other
	// than the trace deletes.
	RescheduleInterruptedBarePods bool

	// NoStandIn leaves the pods of custom workloads, such as Volcano jobs, to controllers that are
	// among the Components. Otherwise a stand-in makes them.
	NoStandIn bool

	// Log receives the text log of the control plane, and must be safe for concurrent use. Default: no
	// log.
	Log io.Writer
	// Verbosity is the log verbosity of the control plane's components, as klog's -v.
	Verbosity int
	// OnNote and OnProgress, if not nil, are called during the simulation, concurrently. They must
	// return at once.
	OnNote     func(Note)
	OnProgress func(Progress)
}

// Simulate runs a simulation in this process and returns its results, which are also written to the
// output folder. When ctx ends during the replay, the results cover what was replayed until then
// and Result.Interrupted is set; when it ends before, Simulate returns ErrInterrupted. If a
// component of the control plane stops by itself, Simulate returns an error that wraps a
// *controlplane.ComponentError. A Result may come with an error if stopping the control plane
// failed.
//
// A process can run one simulation: a second call returns controlplane.ErrAlreadyStarted. In
// virtual time, Simulate must be called before anything listens for signals, which never arrive,
// and with a seed in the environment variable SIMKUBE_SEED from the start of the process it repeats
// itself.
func Simulate(ctx context.Context, s Simulation) (*Result, error) {
	began := virtualtime.Real()
	virtualtime.Prepare()
	spec, err := s.spec()
	if err != nil {
		return nil, err
	}
	if err := results.CheckOutput(spec.Output, spec.Overwrite); err != nil {
		return nil, err
	}
	r := &run{
		spec:      spec,
		additions: additions{components: s.Components, plugins: s.SchedulerPlugins},
		log:       s.Log,
		report:    s.report,
		began:     began,
	}
	if r.log == nil {
		r.log = io.Discard
	}
	done, err := r.simulate(ctx)
	if done == nil {
		return nil, err
	}
	return &Result{Output: done.Output, Summary: done.Summary, Interrupted: done.Interrupted}, err
}

func (s *Simulation) report(m simulation.Message) {
	switch {
	case m.Note != nil && s.OnNote != nil:
		s.OnNote(*m.Note)
	case m.Progress != nil && s.OnProgress != nil:
		s.OnProgress(*m.Progress)
	}
}

// maxName is the longest name: it leaves room for what is added to it in the names of objects.
const maxName = 40

// spec returns the simulation's spec, or everything that is wrong with it.
func (s *Simulation) spec() (simulation.Spec, error) {
	spec := simulation.Spec{
		Name:                          cmp.Or(s.Name, "simulation"),
		Trace:                         s.Trace,
		Output:                        s.Output,
		Overwrite:                     s.Overwrite,
		Time:                          simulation.Real,
		Speed:                         cmp.Or(s.Speed, 1),
		Duration:                      s.Duration,
		SchedulerConfig:               s.SchedulerConfig,
		CRDs:                          s.CRDs,
		Stages:                        s.Stages,
		KubeAPIQPS:                    s.KubeAPIQPS,
		Delays:                        s.Delays,
		RescheduleInterruptedBarePods: s.RescheduleInterruptedBarePods,
		Verbosity:                     s.Verbosity,
	}
	if s.NoStandIn {
		spec.CustomControllers = simulation.NoStandIn
	}
	var problems []error
	invalid := func(field string, value any, why string) {
		problems = append(problems, fmt.Errorf("invalid %s %q: %s", field, fmt.Sprint(value), why))
	}
	if virtualtime.Enabled {
		spec.Time = simulation.Virtual
		if variable := os.Getenv(virtualtime.SeedVariable); variable != "" {
			var err error
			if spec.Seed, err = strconv.ParseUint(variable, 10, 64); err != nil {
				invalid(virtualtime.SeedVariable, variable, "must be a number")
			}
		}
	}
	if s.Trace == "" {
		problems = append(problems, errors.New("a Trace is required"))
	}
	if s.Output == "" {
		problems = append(problems, errors.New("an Output is required"))
	}
	if wrong := validation.IsDNS1123Label(spec.Name); len(wrong) > 0 {
		invalid("Name", spec.Name, strings.Join(wrong, "; "))
	} else if len(spec.Name) > maxName {
		invalid("Name", spec.Name, fmt.Sprintf("must be no more than %d characters", maxName))
	}
	switch {
	case !(spec.Speed > 0): // NaN too
		invalid("Speed", s.Speed, "must be greater than 0")
	case virtualtime.Enabled && spec.Speed != 1:
		invalid("Speed", s.Speed, "must be 1 in virtual time")
	}
	if s.Duration < 0 {
		invalid("Duration", s.Duration, "must not be negative")
	}
	var err error
	if spec.Nodes, err = nodes.ParseSpec(s.Nodes, s.NodeShape); err != nil {
		problems = append(problems, err)
	}
	return spec, errors.Join(problems...)
}
