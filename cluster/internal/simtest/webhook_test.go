package simtest

import (
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/internal/testkubelet"
)

// If a driver stops responding, simulated pods must be rejected rather than run on a real node, and
// other pods must not.
func TestWebhookDown(t *testing.T) {
	concurrently(t)
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
	space := simkubev1.VirtualNamespace(sim.Spec.Driver.VirtualNsPrefix, "demo")
	intruder := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "intruder-", Namespace: space},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/intruder:1"}}},
	}
	for range 3 { // by the driver that does not respond, and then without endpoints
		err := env.client.Create(t.Context(), intruder.DeepCopy())
		if err == nil || !strings.Contains(err.Error(), "failed calling webhook") {
			t.Errorf("a pod in %s while nobody mutates it: %v", space, err)
		}
	}
	other := intruder.DeepCopy()
	other.Namespace = metav1.NamespaceDefault
	other.Spec.SchedulerName = "nobody" // or it might be on the real node when another test looks
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
	noneOnRealNodes(t, sim)
	signalDrivers(t, sim, syscall.SIGCONT)
	down = false
	await(t, sim, "Finished", isState(simkubev1.SimulationFinished))
	noneOnRealNodes(t, sim)
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

// noneOnRealNodes checks that pods of a simulation, which has its own prefix of namespaces, are not
// on the real node.
func noneOnRealNodes(t *testing.T, sim *simkubev1.Simulation) {
	t.Helper()
	pods := &corev1.PodList{}
	if err := env.client.List(t.Context(), pods); err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if pod.Spec.NodeName == testkubelet.DefaultNodeName && strings.HasPrefix(pod.Namespace, sim.Spec.Driver.VirtualNsPrefix+"-") {
			t.Errorf("pod %s of %s is on %s", pod.Name, pod.Namespace, pod.Spec.NodeName)
		}
	}
}
