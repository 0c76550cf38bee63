package simtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller"
)

// Of two simulations created at once, the second waits for the first, and then runs.
func TestTurns(t *testing.T) {
	leavesNothing(t)
	first, second := simulation(t), simulation(t)
	first.Name, second.Name = "turns-1", "turns-2"
	start(t, first)
	await(t, first, "Initializing", func(s *simkubev1.SimulationStatus) bool { return s.State != "" })
	start(t, second)
	await(t, second, "Blocked", isState(simkubev1.SimulationBlocked))
	if len(drivers(second)) > 0 {
		t.Error("a simulation that is blocked has a driver")
	}
	await(t, first, "Finished", isState(simkubev1.SimulationFinished))
	checkFinished(t, await(t, second, "Finished", isState(simkubev1.SimulationFinished)), 1)
}

// Two simulations run at once, and share the driver's namespace and the certificate. A third one
// has the prefix of the first and waits, although there would be room.
func TestTurns_Several(t *testing.T) {
	leavesNothing(t)
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: simkubev1.LeaseName, Annotations: map[string]string{controller.AnnotationMaxSimulations: "3"},
	}}
	if err := env.client.Create(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.client.Delete(context.WithoutCancel(t.Context()), lease); err != nil {
			t.Error(err)
		}
	})
	slow := func(name, prefix string) *simkubev1.Simulation {
		sim := simulation(t, func(sim *simkubev1.Simulation) {
			sim.Spec.Speed, sim.Spec.Driver.VirtualNsPrefix = new(30.0), prefix
		})
		sim.Name = name
		return sim
	}
	first, second, third := slow("several-1", "one"), slow("several-2", "two"), slow("several-3", "one")
	start(t, first)
	await(t, first, "Initializing", func(s *simkubev1.SimulationStatus) bool { return s.State != "" })
	start(t, second)
	start(t, third)
	await(t, second, "replaying", replays(1))
	await(t, first, "replaying at the same time", replays(1))
	await(t, third, "Blocked", isState(simkubev1.SimulationBlocked))
	for _, sim := range []*simkubev1.Simulation{first, second, third} {
		checkFinished(t, await(t, sim, "Finished", isState(simkubev1.SimulationFinished)), 1)
	}
}

// The trace appears late on the node. Until then the simulation reports what it waits for.
func TestTraceMissing(t *testing.T) {
	concurrently(t)
	late := filepath.Join(t.TempDir(), "late")
	sim := simulation(t, func(sim *simkubev1.Simulation) { sim.Spec.Driver.TracePath = "file://" + late })
	start(t, sim)
	await(t, sim, "waiting for its trace", func(s *simkubev1.SimulationStatus) bool {
		ready := meta.FindStatusCondition(s.Conditions, simkubev1.ConditionReady)
		return ready != nil && strings.Contains(ready.Message, late)
	})
	trace, err := os.ReadFile(env.trace)
	if err != nil {
		t.Fatal(err)
	}
	// Atomically, because half of it might be mounted.
	if err := os.WriteFile(late+".part", trace, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(late+".part", late); err != nil {
		t.Fatal(err)
	}
	checkFinished(t, await(t, sim, "Finished", isState(simkubev1.SimulationFinished)), 1)
}

// With an invalid trace, the simulation fails without restarts.
func TestTraceBroken(t *testing.T) {
	concurrently(t)
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("this is no trace"), 0o600); err != nil {
		t.Fatal(err)
	}
	sim := simulation(t, func(sim *simkubev1.Simulation) { sim.Spec.Driver.TracePath = broken })
	start(t, sim)
	failed := await(t, sim, "Failed", isState(simkubev1.SimulationFailed))
	condition := meta.FindStatusCondition(failed.Status.Conditions, simkubev1.ConditionFailed)
	if condition == nil || !strings.Contains(condition.Message, "trace") {
		t.Errorf("got %+v", condition)
	}
}

// A Secret may appear late, because manifests are applied in any order. Its keys are variables of
// the driver and its hooks.
func TestSecretMissing(t *testing.T) {
	concurrently(t)
	hooks := newDiary(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		sim.Spec.Driver.Secrets = []string{"storage"}
		sim.Spec.Hooks = &simkubev1.SimulationHooks{PreRunHooks: []simkubev1.SimulationHook{hooks.hook("$WORD_OF_STORAGE")}}
	})
	start(t, sim)
	await(t, sim, "waiting for its secret", func(s *simkubev1.SimulationStatus) bool {
		ready := meta.FindStatusCondition(s.Conditions, simkubev1.ConditionReady)
		return ready != nil && ready.Reason == "SecretMissing" && strings.Contains(ready.Message, "storage")
	})
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "storage"}, StringData: map[string]string{"WORD_OF_STORAGE": "sesame"}}
	if err := env.client.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	checkFinished(t, await(t, sim, "Finished", isState(simkubev1.SimulationFinished)), 1)
	if got, want := hooks.read(t), "sesame"; got != want {
		t.Errorf("the hook wrote %q, want %q", got, want)
	}
	for _, folder := range driverLogs(sim) {
		if strings.Contains(env.kubelet.Logs(namespace, filepath.Base(folder)), "sesame") {
			t.Errorf("%s printed what is secret", folder)
		}
	}
	if err := env.client.Delete(t.Context(), secret); err != nil {
		t.Error(err)
	}
}
