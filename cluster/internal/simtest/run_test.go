package simtest

import (
	"strings"
	"testing"

	simkubev1 "simkube.io/simkube/api/v1"
)

// exampleEvents is the number of events of the example.
const exampleEvents = 8

// A simulation runs to its end, in two repetitions, with hooks of every phase.
func TestRun(t *testing.T) {
	concurrently(t)
	hooks := newDiary(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		sim.Spec.Repetitions = new(int32(2))
		sim.Spec.Hooks = &simkubev1.SimulationHooks{
			PreStartHooks: []simkubev1.SimulationHook{hooks.hook("preStart")}, PreRunHooks: []simkubev1.SimulationHook{hooks.hook("preRun")},
			PostRunHooks: []simkubev1.SimulationHook{hooks.hook("postRun")}, PostStopHooks: []simkubev1.SimulationHook{hooks.hook("postStop")},
		}
	})
	start(t, sim)
	await(t, sim, "Initializing", isState(simkubev1.SimulationInitializing))
	await(t, sim, "Running", isState(simkubev1.SimulationRunning))
	await(t, sim, "half done", func(s *simkubev1.SimulationStatus) bool { return s.CompletedRuns == 1 })
	done := await(t, sim, "Finished", isState(simkubev1.SimulationFinished))
	checkFinished(t, done, 2)
	if got, want := hooks.read(t), "preStart preRun postRun preRun postRun postStop"; got != want {
		t.Errorf("hooks ran: %s; want %s", got, want)
	}
}

// checkFinished checks the status of a finished simulation of the example.
func checkFinished(t *testing.T, sim *simkubev1.Simulation, runs int) {
	t.Helper()
	if sim.Status.State != simkubev1.SimulationFinished {
		t.Errorf("the simulation is %s", sim.Status.State)
	}
	checkReplayed(t, sim, runs)
}

// checkReplayed checks that the whole example was replayed, and that nothing is left of it.
func checkReplayed(t *testing.T, sim *simkubev1.Simulation, runs int) {
	t.Helper()
	status := sim.Status
	if status.StartTime == nil || status.EndTime == nil || status.CompletedRuns != int32(runs) || status.Driver == nil || len(status.Driver.Summaries) != runs {
		t.Fatalf("got %+v", status)
	}
	for _, run := range status.Driver.Summaries {
		t.Logf("run %d: %+v", run.Run, run)
		if run.Events != exampleEvents || run.Problems != 0 || run.Pods == 0 || run.Scheduled != run.Pods {
			t.Errorf("run %d: got %+v", run.Run, run)
		}
	}
	for _, pod := range simulated(t, sim) {
		t.Errorf("pod %s is left in %s", pod.Name, pod.Namespace)
	}
	if strings.Contains(ctrlLogs(t.Context()), "panic") {
		t.Error("sk-ctrl has panicked")
	}
}
