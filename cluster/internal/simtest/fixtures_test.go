package simtest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/internal/testkubelet"
)

// Simulations replay the four minutes of the example in seconds. The check that all pods were
// scheduled needs the scheduler to keep up, so parallel ones are slower.
const (
	speed           = 40
	concurrentSpeed = 20
)

// simulation returns a simulation of the example, on free ports: pods share those of this machine.
// In a concurrent test it has its own prefix of namespaces, because it would have to wait for the
// others otherwise.
func simulation(t *testing.T, changes ...func(*simkubev1.Simulation)) *simkubev1.Simulation {
	t.Helper()
	ports, err := freePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	metricsPort, err := json.Marshal(ports[1])
	if err != nil {
		t.Fatal(err)
	}
	sim := &simkubev1.Simulation{ObjectMeta: metav1.ObjectMeta{Name: strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))}}
	sim.Spec.Speed = new(float64(speed))
	sim.Spec.Driver = simkubev1.SimulationDriver{
		Image: driverImage, Namespace: namespace, Port: int32(ports[0]), TracePath: "file://" + env.trace,
		Args: []string{"--metrics-port", string(metricsPort), "-v", "debug"},
	}
	if prefix := ownPrefix(t); prefix != "" {
		sim.Name += "-" + prefix
		sim.Spec.Driver.VirtualNsPrefix = prefix
		sim.Spec.Speed = new(float64(concurrentSpeed))
	}
	for _, change := range changes {
		change(sim)
	}
	return sim
}

// start creates a simulation. When the test ends, it is deleted, and the output of the programs is
// logged if the test failed.
func start(t *testing.T, sim *simkubev1.Simulation) {
	t.Helper()
	if err := env.client.Create(t.Context(), sim); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if t.Failed() {
			explain(t, sim)
		}
		if err := env.client.Delete(ctx, sim); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
		err := wait.PollUntilContextTimeout(ctx, pollPeriod, waitTime, true, func(ctx context.Context) (bool, error) {
			err := env.client.Get(ctx, clientKey(sim), &simkubev1.Simulation{})
			return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
		})
		if err != nil {
			t.Errorf("wait until the simulation is deleted: %v\n%s", err, ctrlLogs(ctx))
		}
	})
}

// explain returns what is known of a simulation.
func explain(t *testing.T, sim *simkubev1.Simulation) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	last := &simkubev1.Simulation{}
	if err := env.client.Get(ctx, clientKey(sim), last); err == nil {
		status, _ := json.MarshalIndent(last.Status, "", " ")
		t.Logf("the status is %s", status)
	}
	t.Logf("sk-ctrl printed\n%s", tail(ctrlLogs(ctx)))
	for _, folder := range driverLogs(sim) {
		t.Logf("%s printed\n%s", filepath.Base(folder), tail(env.kubelet.Logs(namespace, filepath.Base(folder))))
	}
}

// driverLogs returns the folders with the logs of a simulation's drivers, including deleted ones.
func driverLogs(sim *simkubev1.Simulation) []string {
	folders, _ := filepath.Glob(filepath.Join(env.dir, "kubelet", "logs", namespace, simkubev1.DriverName(sim.Name)+"*"))
	return folders
}

func tail(text string) string {
	const most = 12 << 10
	return text[max(0, len(text)-most):]
}

// await waits for a state of the simulation. It gives up if the state can no longer be reached.
func await(t *testing.T, sim *simkubev1.Simulation, what string, is func(*simkubev1.SimulationStatus) bool) *simkubev1.Simulation {
	t.Helper()
	last := &simkubev1.Simulation{}
	err := wait.PollUntilContextTimeout(t.Context(), pollPeriod, waitTime, true, func(ctx context.Context) (bool, error) {
		if err := env.client.Get(ctx, clientKey(sim), last); err != nil {
			return false, err
		}
		if last.Status == nil {
			return false, nil
		}
		if is(last.Status) {
			return true, nil
		}
		if last.Status.State == simkubev1.SimulationFailed || last.Status.State == simkubev1.SimulationFinished {
			return false, errEnded(last.Status.State)
		}
		return false, nil
	})
	if err != nil {
		t.Fatalf("wait for the simulation to be %s: %v", what, err)
	}
	return last
}

type errEnded simkubev1.SimulationState

func (e errEnded) Error() string { return "it is " + string(e) }

func isState(state simkubev1.SimulationState) func(*simkubev1.SimulationStatus) bool {
	return func(status *simkubev1.SimulationStatus) bool { return status.State == state }
}

// replays reports whether a number of events was replayed.
func replays(events int32) func(*simkubev1.SimulationStatus) bool {
	return func(status *simkubev1.SimulationStatus) bool {
		return status.State == simkubev1.SimulationRunning && status.Driver != nil && status.Driver.Events >= events
	}
}

// drivers returns the processes of a simulation's driver.
func drivers(sim *simkubev1.Simulation) []testkubelet.Process {
	var all []testkubelet.Process
	for _, process := range env.kubelet.Processes() {
		if process.Namespace == namespace && strings.HasPrefix(process.Pod, simkubev1.DriverName(sim.Name)) {
			all = append(all, process)
		}
	}
	return all
}

// simulated returns the simulated pods.
func simulated(t *testing.T, sim *simkubev1.Simulation) []corev1.Pod {
	t.Helper()
	pods := &corev1.PodList{}
	if err := env.client.List(t.Context(), pods, client.MatchingLabels(simkubev1.SimulatedLabels(sim.Name))); err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

// diary is a file to which hooks write; lines returns its content.
type diary string

func newDiary(t *testing.T) diary {
	t.Helper()
	return diary(filepath.Join(t.TempDir(), "diary"))
}

func (d diary) hook(word string) simkubev1.SimulationHook {
	return simkubev1.SimulationHook{Cmd: "sh", Args: []string{"-c", "echo " + word + " >>" + string(d)}}
}

func (d diary) read(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(string(d))
	if err != nil {
		t.Error(err)
	}
	return strings.Join(strings.Fields(string(data)), " ")
}

func clientKey(sim *simkubev1.Simulation) client.ObjectKey { return client.ObjectKeyFromObject(sim) }
