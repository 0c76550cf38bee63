package simtest

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/internal/testkubelet"
)

// TestWebhookDown stops a driver in its tracks. Simulated pods must be refused, rather than run on a real node, and no others.
func TestWebhookDown(t *testing.T) {
	leavesNothing(t)
	sim := simulation(t)
	start(t, sim)
	await(t, sim, "replaying", replays(1))
	signalDrivers(t, sim, syscall.SIGSTOP)
	down := true
	t.Cleanup(func() {
		if down {
			signalDrivers(t, sim, syscall.SIGCONT)
		}
	})
	space := simkubev1.VirtualNamespace(simkubev1.DefaultVirtualNsPrefix, "demo")
	intruder := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "intruder-", Namespace: space},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/intruder:1"}}},
	}
	for range 3 { // by the driver that does not answer, and then by nobody being there
		err := env.client.Create(t.Context(), intruder.DeepCopy())
		if err == nil || !strings.Contains(err.Error(), "failed calling webhook") {
			t.Errorf("a pod in %s while nobody mutates it: %v", space, err)
		}
	}
	other := intruder.DeepCopy()
	other.Namespace = metav1.NamespaceDefault
	if err := env.client.Create(t.Context(), other); err != nil {
		t.Errorf("a pod elsewhere: %v", err)
	} else {
		if other.Spec.NodeSelector != nil || other.Labels != nil {
			t.Errorf("a pod elsewhere was changed: %+v", other)
		}
		if err := env.client.Delete(t.Context(), other, client.GracePeriodSeconds(0)); err != nil {
			t.Error(err)
		}
	}
	noneOnRealNodes(t)
	signalDrivers(t, sim, syscall.SIGCONT)
	down = false
	await(t, sim, "Finished", isState(simkubev1.SimulationFinished))
	noneOnRealNodes(t)
}

func signalDrivers(t *testing.T, sim *simkubev1.Simulation, sig syscall.Signal) {
	t.Helper()
	running := drivers(sim)
	if len(running) != 1 {
		t.Fatalf("got drivers %v, want one", running)
	}
	if err := syscall.Kill(running[0].PID, sig); err != nil {
		t.Fatal(err)
	}
}

// noneOnRealNodes checks that only what belongs there is on the real node.
func noneOnRealNodes(t *testing.T) {
	t.Helper()
	pods := &corev1.PodList{}
	if err := env.client.List(t.Context(), pods); err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if pod.Spec.NodeName == testkubelet.DefaultNodeName && pod.Namespace != namespace {
			t.Errorf("pod %s of %s is on %s", pod.Name, pod.Namespace, pod.Spec.NodeName)
		}
	}
}

// pausedLook is for how long a paused simulation is looked at: half a minute of the trace passes in a second.
const pausedLook = 4 * time.Second

// TestPause pauses a simulation between two events.
func TestPause(t *testing.T) {
	leavesNothing(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) { sim.Spec.Speed = new(30.0) })
	start(t, sim)
	await(t, sim, "replaying", replays(2))
	setPaused(t, sim, `"2026-01-01T00:00:00Z"`)
	paused := await(t, sim, "Paused", isState(simkubev1.SimulationPaused))
	if !paused.Status.Driver.Paused || paused.Status.Driver.Events >= exampleEvents {
		t.Fatalf("paused: %+v", paused.Status.Driver)
	}
	before := podsOf(t, sim)
	// Had it gone on, it would be over before this: there is always an event within a minute of the trace, which is two seconds.
	err := wait.PollUntilContextTimeout(t.Context(), pollPeriod, pausedLook, false, func(ctx context.Context) (bool, error) {
		last := &simkubev1.Simulation{}
		err := env.client.Get(ctx, clientKey(sim), last)
		return err != nil || last.Status.Driver.Events != paused.Status.Driver.Events || last.Status.State != simkubev1.SimulationPaused, err
	})
	if !wait.Interrupted(err) {
		t.Errorf("something happens during the pause: %v", err)
	}
	t.Logf("pods before and after the pause: %v, %v", before, podsOf(t, sim))
	setPaused(t, sim, "null")
	await(t, sim, "running again", isState(simkubev1.SimulationRunning))
	checkFinished(t, await(t, sim, "Finished", isState(simkubev1.SimulationFinished)), 1)
}

func setPaused(t *testing.T, sim *simkubev1.Simulation, value string) {
	t.Helper()
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"pausedTime":`+value+`}}`))
	if err := env.client.Patch(t.Context(), sim.DeepCopy(), patch); err != nil {
		t.Fatal(err)
	}
}

func podsOf(t *testing.T, sim *simkubev1.Simulation) []string {
	t.Helper()
	var names []string
	for _, pod := range simulated(t, sim) {
		names = append(names, pod.Name)
	}
	slices.Sort(names)
	return names
}
