package simtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/internal/testkubelet"
	"simkube.io/simkube/internal/controller/objects"
)

// cert-manager issues the certificate, and the Prometheus operator runs a Prometheus. All
// simulations of a namespace share the certificate's Secret, so none may run in parallel.
func TestOperators(t *testing.T) {
	leavesNothing(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		sim.Spec.Driver.CertManagerIssuer = new("simkube")
		sim.Spec.Metrics = &simkubev1.SimulationMetrics{PodMonitorNames: []string{"sk-driver"}}
	})
	start(t, sim)
	await(t, sim, "replaying", replays(1))
	prometheus := &unstructured.Unstructured{}
	prometheus.SetGroupVersionKind(objects.PrometheusKind())
	if err := env.client.Get(t.Context(), client.ObjectKey{Namespace: monitoring, Name: simkubev1.PrometheusName(sim.Name)}, prometheus); err != nil {
		t.Error(err)
	}
	checkFinished(t, await(t, sim, "Finished", isState(simkubev1.SimulationFinished)), 1)
}

// A running simulation can be deleted. leavesNothing checks what is left.
func TestDeleted(t *testing.T) {
	concurrently(t)
	sim := simulation(t)
	start(t, sim)
	await(t, sim, "replaying", replays(2))
	if err := env.client.Delete(t.Context(), sim); err != nil {
		t.Fatal(err)
	}
}

// If the driver's job is deleted, another one resumes, but there are never two drivers at once.
func TestJobDeleted(t *testing.T) {
	concurrently(t)
	sim := simulation(t)
	start(t, sim)
	await(t, sim, "replaying", replays(1))
	first := drivers(sim)
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: simkubev1.DriverName(sim.Name)}}
	if err := env.client.Delete(t.Context(), job, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		t.Fatal(err)
	}
	var seen []testkubelet.Process
	done := await(t, sim, "Finished", func(s *simkubev1.SimulationStatus) bool {
		now := drivers(sim)
		if len(now) > 1 {
			t.Errorf("there are %d drivers at once: %v", len(now), now)
		}
		seen = append(seen, now...)
		return s.State == simkubev1.SimulationFinished
	})
	if !slices.ContainsFunc(seen, func(p testkubelet.Process) bool { return !slices.Contains(first, p) }) {
		t.Error("there was no other driver")
	}
	// Events that were due meanwhile are replayed at once, so some pods are deleted before they are
	// scheduled.
	if runs := done.Status.Driver.Summaries; len(runs) != 1 || runs[0].Events != exampleEvents || runs[0].Problems > 0 {
		t.Errorf("got %+v", runs)
	}
}

// The summary outlives the simulation.
func TestResultsInConfigMap(t *testing.T) {
	concurrently(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		sim.Spec.Results = &simkubev1.SimulationResults{ConfigMap: "kept-results"}
	})
	start(t, sim)
	checkFinished(t, await(t, sim, "Finished", isState(simkubev1.SimulationFinished)), 1)
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "kept-results"}}
	if err := env.client.Get(t.Context(), client.ObjectKeyFromObject(kept), kept); err != nil || len(kept.Data)+len(kept.BinaryData) == 0 {
		t.Fatalf("got %v, %v", kept, err)
	}
	if err := env.client.Delete(t.Context(), kept); err != nil {
		t.Error(err)
	}
}

// Hooks create a node and a namespace, wait for pods and delete the node again.
func TestActions(t *testing.T) {
	leavesNothing(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		virtual := &metav1.LabelSelector{MatchLabels: map[string]string{simkubev1.LabelVirtual: "true"}}
		sim.Spec.Hooks = &simkubev1.SimulationHooks{
			PreStartHooks: []simkubev1.SimulationHook{{Apply: &simkubev1.ApplyAction{Manifests: extraNode}}},
			PreRunHooks:   []simkubev1.SimulationHook{{WaitForPods: &simkubev1.WaitForPodsAction{Selector: virtual, For: simkubev1.PodsGone}}},
			PostRunHooks:  []simkubev1.SimulationHook{{WaitForPods: &simkubev1.WaitForPodsAction{Namespace: namespace, For: simkubev1.PodsReady}}},
			PostStopHooks: []simkubev1.SimulationHook{{DeleteNodes: &simkubev1.DeleteNodesAction{Selector: metav1.LabelSelector{MatchLabels: map[string]string{"extra": "true"}}}}},
		}
	})
	start(t, sim)
	await(t, sim, "replaying", replays(1))
	node := &corev1.Node{}
	if err := env.client.Get(t.Context(), client.ObjectKey{Name: "extra"}, node); err != nil || node.Status.Capacity.Cpu().String() != "4" {
		t.Errorf("got node %v, %v", node.Status.Capacity, err)
	}
	checkFinished(t, await(t, sim, "Finished", isState(simkubev1.SimulationFinished)), 1)
	if err := env.client.Get(t.Context(), client.ObjectKey{Name: "extra"}, node); !apierrors.IsNotFound(err) {
		t.Errorf("the node is there: %v", err)
	}
}

const extraNode = `
apiVersion: v1
kind: Node
metadata:
  name: extra
  labels: {type: virtual, extra: "true"}
  annotations: {kwok.x-k8s.io/node: fake}
spec:
  taints: [{key: kwok-provider, value: "true", effect: NoSchedule}]
status:
  capacity: {cpu: "4", memory: 8Gi, pods: "10"}
  allocatable: {cpu: "4", memory: 8Gi, pods: "10"}
`

// If commands are turned off, none runs in sk-ctrl, not even that of a deleted Simulation.
func TestHookCommandsForbidden(t *testing.T) {
	leavesNothing(t)
	replaceCtrl(t, "sh", "-c", `exec "$0" "$@" --hook-commands=false`, filepath.Join(env.programs, "sk-ctrl"))
	ran := newDiary(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		sim.Spec.Hooks = &simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{ran.hook("postStop")}}
	})
	start(t, sim)
	failed := await(t, sim, "Failed", isState(simkubev1.SimulationFailed))
	condition := meta.FindStatusCondition(failed.Status.Conditions, simkubev1.ConditionFailed)
	if condition == nil || condition.Reason != "HookCommandForbidden" || !strings.Contains(condition.Message, "PostStop hook 0 is a command (sh)") {
		t.Errorf("got %+v", condition)
	}
	if len(drivers(sim)) > 0 || failed.Status.StartTime != nil {
		t.Error("it was begun")
	}
	if err := env.client.Delete(t.Context(), sim); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(string(ran)); !os.IsNotExist(err) {
		t.Errorf("the hook ran: %v", err)
	}
}

// A simulation that uses a forbidden image or a forbidden file of a node fails before a hook or a
// driver is started.
func TestForbidden(t *testing.T) {
	// Without the flag that allows the other tests' traces.
	replaceCtrl(t, "sh", "-c", `for arg do shift; [ "$arg" = '--allowed-trace-paths=*' ] || set -- "$@" "$arg"; done; exec "$0" "$@"`, filepath.Join(env.programs, "sk-ctrl"))
	for name, test := range map[string]struct {
		change       func(*simkubev1.SimulationDriver)
		reason, want string
	}{
		"image": {
			func(driver *simkubev1.SimulationDriver) { driver.Image = "evil.example/simkube/sk-driver:latest" },
			"DriverImageForbidden", "--allowed-driver-images: simkube/sk-driver",
		},
		"file": {
			func(driver *simkubev1.SimulationDriver) {
				driver.TracePath = "file:///data/../etc/passwd"
			},
			"TracePathForbidden", "file /etc/passwd of a node",
		},
	} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			ran := newDiary(t)
			sim := simulation(t, func(sim *simkubev1.Simulation) {
				test.change(&sim.Spec.Driver)
				sim.Spec.Hooks = &simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{ran.hook("postStop")}}
			})
			start(t, sim)
			failed := await(t, sim, "Failed", isState(simkubev1.SimulationFailed))
			condition := meta.FindStatusCondition(failed.Status.Conditions, simkubev1.ConditionFailed)
			if condition == nil || condition.Reason != test.reason || !strings.Contains(condition.Message, test.want) {
				t.Errorf("got %+v, want %s with %q", condition, test.reason, test.want)
			}
			if _, err := os.Stat(string(ran)); !os.IsNotExist(err) || len(drivers(sim)) > 0 {
				t.Errorf("a hook or a driver ran: %v", err)
			}
		})
	}
}

// A failed hook fails the simulation, and everything else is still cleaned up.
func TestHookFails(t *testing.T) {
	concurrently(t)
	second := int32(1)
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		sim.Spec.Hooks = &simkubev1.SimulationHooks{PreRunHooks: []simkubev1.SimulationHook{{
			WaitForPods: &simkubev1.WaitForPodsAction{Namespace: namespace, Count: new(int32(99))}, TimeoutSeconds: &second,
		}}}
	})
	start(t, sim)
	failed := await(t, sim, "Failed", isState(simkubev1.SimulationFailed))
	if message := failed.Status.Driver.Message; !strings.Contains(message, "waitForPods") || !strings.Contains(message, "wanted at least 99 pods, all Ready; there are") {
		t.Errorf("got %q", message)
	}
}
