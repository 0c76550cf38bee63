package simulator_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/cluster/simulator"
	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/skcluster"
)

// exampleTrace is three and a half minutes long.
const exampleTrace = "../../examples/first-steps.sktrace"

// counter is a component that counts the pods it has seen.
type counter struct {
	ready, stopped atomic.Bool
	pods, early    atomic.Int64 // early are those seen before it was ready
}

func (c *counter) component() controlplane.Component {
	return controlplane.Component{
		Name:  "counter",
		Rules: []rbacv1.PolicyRule{{Verbs: []string{"list", "watch"}, APIGroups: []string{""}, Resources: []string{"pods"}}},
		Start: func(_ context.Context, access controlplane.Access) (controlplane.Instance, error) {
			client, err := kubernetes.NewForConfig(access.Config)
			if err != nil {
				return controlplane.Instance{}, err
			}
			factory := informers.NewSharedInformerFactory(client, 0)
			pods := factory.Core().V1().Pods().Informer()
			_, err = pods.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(object any) {
				if !c.ready.Load() {
					c.early.Add(1)
				}
				if _, ok := object.(*corev1.Pod); ok {
					c.pods.Add(1)
				}
			}})
			return controlplane.Instance{
				Run: func(ctx context.Context) error {
					factory.StartWithContext(ctx)
					<-ctx.Done()
					factory.Shutdown()
					c.stopped.Store(true)
					return nil
				},
				Ready: func(ctx context.Context) error {
					if !cache.WaitForNamedCacheSyncWithContext(ctx, pods.HasSynced) {
						return context.Cause(ctx)
					}
					c.ready.Store(true)
					return nil
				},
			}, err
		},
	}
}

// TestSimulate runs the only simulation that this process can run, on the clock that it was built
// for.
func TestSimulate(t *testing.T) {
	virtualtime.Prepare()
	s := simulator.Simulation{
		Trace:  exampleTrace,
		Output: filepath.Join(t.TempDir(), "results"),
		Nodes:  "2",
		Speed:  20,
	}
	if virtualtime.Enabled {
		s.Speed = 1
	}
	var c counter
	s.Components = []controlplane.Component{c.component()}
	var phases []simulation.Phase
	s.OnProgress = func(p simulator.Progress) {
		if p.Phase == simulation.Preparing || p.Phase == simulation.Starting {
			phases = append(phases, p.Phase)
		}
	}
	result, err := simulator.Simulate(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	created := result.Summary.Outcome.Pods.Created
	if got := c.pods.Load(); created == 0 || got != int64(created) || c.early.Load() > 0 {
		t.Errorf("the component has seen %d pods, %d of them before it was ready; %d were created", got, c.early.Load(), created)
	}
	if !c.stopped.Load() {
		t.Error("the component still runs")
	}
	if result.Interrupted || len(phases) != 2 {
		t.Errorf("interrupted: %t, phases %v", result.Interrupted, phases)
	}
	if result.Output != s.Output {
		t.Errorf("output: got %s, want %s", result.Output, s.Output)
	}
	rows, err := result.Rows()
	if err != nil || len(rows.Pods) != created || rows.Summary.Outcome.Nodes.Count != 2 {
		t.Errorf("the folder holds %+v, %v; want %d pods and 2 nodes", rows, err, created)
	}

	s.Output += "-again"
	if _, err := simulator.Simulate(t.Context(), s); !errors.Is(err, controlplane.ErrAlreadyStarted) {
		t.Errorf("a second simulation: got %v, want %v", err, controlplane.ErrAlreadyStarted)
	}
}

func TestSimulate_Invalid(t *testing.T) {
	existing := t.TempDir()
	if err := os.WriteFile(filepath.Join(existing, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		s    simulator.Simulation
		want []string
	}{
		"nothing":        {simulator.Simulation{}, []string{"a Trace is required", "an Output is required"}},
		"name":           {simulator.Simulation{Trace: "t", Output: "o", Name: "No Name"}, []string{`invalid Name "No Name": `}},
		"long name":      {simulator.Simulation{Trace: "t", Output: "o", Name: strings.Repeat("n", 41)}, []string{"no more than 40 characters"}},
		"speed and time": {simulator.Simulation{Trace: "t", Output: "o", Speed: -1, Duration: -1}, []string{`invalid Speed "-1"`, `invalid Duration "-1ns"`}},
		"nodes":          {simulator.Simulation{Trace: "t", Output: "o", Nodes: "-3"}, []string{`"-3"`}},
		"no trace":       {simulator.Simulation{Trace: "nowhere", Output: "o"}, []string{"nowhere"}},
		"output":         {simulator.Simulation{Trace: exampleTrace, Output: existing}, []string{existing}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := simulator.Simulate(t.Context(), tt.s)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to contain %q", err, want)
				}
			}
		})
	}
}

// TestMain_ComponentFails runs a program with a component of its own as skctl does. Virtual time
// would pass in this process while it waits.
func TestMain_ComponentFails(t *testing.T) {
	if virtualtime.Enabled {
		return
	}
	output := filepath.Join(t.TempDir(), "results")
	_, err := skcluster.Simulate(t.Context(), skcluster.Options{
		Path: os.Args[0],
		Env:  []string{programVariable + "=1"},
		Spec: simulation.Spec{
			Name: "program", Trace: exampleTrace, Output: output, Time: simulation.Real, Duration: time.Minute,
			Nodes: nodes.Spec{Count: 1},
		},
	})
	var failed *skcluster.FailedError
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "failing stopped: "+errBroken.Error()) {
		t.Errorf("got %v, want the component's name and error", err)
	}
	if _, err := os.Stat(output); !os.IsNotExist(err) {
		t.Errorf("the output of a failed simulation: got %v, want none", err)
	}
}
