package simtest

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
)

// pausedLook is how long a paused simulation is observed: half a minute of the trace passes in a
// second.
const pausedLook = 4 * time.Second

// A simulation can be paused between two events.
func TestPause(t *testing.T) {
	concurrently(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) { sim.Spec.Speed = new(30.0) })
	start(t, sim)
	await(t, sim, "replaying", replays(2))
	setPaused(t, sim, `"2026-01-01T00:00:00Z"`)
	paused := await(t, sim, "Paused", isState(simkubev1.SimulationPaused))
	if !paused.Status.Driver.Paused || paused.Status.Driver.Events >= exampleEvents {
		t.Fatalf("paused: %+v", paused.Status.Driver)
	}
	staysPaused(t, sim, paused)
	setPaused(t, sim, "null")
	await(t, sim, "running again", isState(simkubev1.SimulationRunning))
	checkFinished(t, await(t, sim, "Finished", isState(simkubev1.SimulationFinished)), 1)
}

// If a paused driver is killed, the next one stays paused.
func TestPause_DriverKilled(t *testing.T) {
	concurrently(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) { sim.Spec.Speed = new(30.0) })
	start(t, sim)
	await(t, sim, "replaying", replays(2))
	setPaused(t, sim, `"2026-01-01T00:00:00Z"`)
	paused := await(t, sim, "Paused", isState(simkubev1.SimulationPaused))
	signalDrivers(t, sim, syscall.SIGKILL)
	await(t, sim, "taken up again", func(s *simkubev1.SimulationStatus) bool {
		return s.Driver.Restarts == 1 && s.State == simkubev1.SimulationPaused
	})
	staysPaused(t, sim, paused)
	setPaused(t, sim, "null")
	checkFinished(t, await(t, sim, "Finished", isState(simkubev1.SimulationFinished)), 1)
}

// staysPaused checks for a while that nothing is replayed. Otherwise the simulation would have
// ended before: there is an event in every minute of the trace, which is two seconds.
func staysPaused(t *testing.T, sim, paused *simkubev1.Simulation) {
	t.Helper()
	before := podsOf(t, sim)
	last := &simkubev1.Simulation{}
	err := wait.PollUntilContextTimeout(t.Context(), pollPeriod, pausedLook, false, func(ctx context.Context) (bool, error) {
		err := env.client.Get(ctx, clientKey(sim), last)
		return err != nil || last.Status.Driver.Events > paused.Status.Driver.Events, err
	})
	if !wait.Interrupted(err) {
		t.Errorf("something happens during the pause (%v): %+v", err, last.Status)
	}
	t.Logf("pods before and after the pause: %v, %v", before, podsOf(t, sim))
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
