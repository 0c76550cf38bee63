package controller

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	simkubev1 "simkube.io/simkube/api/v1"
)

func aged(name string, created int64, prefix string, state simkubev1.SimulationState) simkubev1.Simulation {
	sim := *simulationIn(state)
	sim.Name, sim.UID = name, types.UID(name)
	sim.CreationTimestamp = metav1.NewTime(time.Unix(created, 0))
	sim.Spec.Driver.VirtualNsPrefix = prefix
	return sim
}

func TestWaitMessage(t *testing.T) {
	for name, tc := range map[string]struct {
		sims  []simkubev1.Simulation
		limit int
		want  string
	}{
		"its prefix":  {[]simkubev1.Simulation{aged("a", 1, "", "Running"), aged("self", 2, "virtual", "")}, 5, "simulation a, which has the same virtualNsPrefix virtual"},
		"the one":     {[]simkubev1.Simulation{aged("a", 1, "p", "Running"), aged("self", 2, "q", "")}, 1, "Waiting for simulation a: one may run"},
		"an older":    {[]simkubev1.Simulation{aged("a", 1, "p", "Blocked"), aged("self", 2, "q", "")}, 1, "Waiting for simulation a"},
		"one of many": {[]simkubev1.Simulation{aged("b", 1, "p", "Running"), aged("a", 1, "r", "Paused"), aged("self", 2, "q", "")}, 2, "one of the simulations a, b: 2 may run"},
	} {
		t.Run(name, func(t *testing.T) {
			got := waitMessage(tc.sims, Turns(tc.sims, tc.limit), &tc.sims[len(tc.sims)-1])
			if !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want a part %q", got, tc.want)
			}
		})
	}
}

func TestHolderOf(t *testing.T) {
	all := []simkubev1.Simulation{
		aged("waits", 0, "", "Blocked"), aged("new", 0, "", ""), aged("ended", 1, "", "Finished"), aged("failed", 1, "", "Failed"),
		aged("young", 3, "", "Running"), aged("old", 2, "", "Paused"),
	}
	for _, tc := range []struct {
		sims []simkubev1.Simulation
		done types.UID
		want string
	}{{all, "", "old"}, {all, "old", "young"}, {all[:4], "", ""}} {
		if got := holderOf(tc.sims, tc.done); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

func TestChanged(t *testing.T) {
	base := simulationIn("Running")
	base.Status.Driver = &simkubev1.DriverStatus{Phase: simkubev1.DriverReplaying, Events: 3}
	for name, tc := range map[string]struct {
		change func(*simkubev1.Simulation)
		want   bool
	}{
		"nothing":    {func(*simkubev1.Simulation) {}, false},
		"progress":   {func(s *simkubev1.Simulation) { s.Status.Driver.Events++ }, false},
		"conditions": {func(s *simkubev1.Simulation) { s.Status.Conditions = []metav1.Condition{{}} }, false},
		"spec":       {func(s *simkubev1.Simulation) { s.Generation++ }, true},
		"deleted":    {func(s *simkubev1.Simulation) { s.DeletionTimestamp = &metav1.Time{} }, true},
		"state":      {func(s *simkubev1.Simulation) { s.Status.State = simkubev1.SimulationPaused }, true},
		"phase":      {func(s *simkubev1.Simulation) { s.Status.Driver.Phase = simkubev1.DriverFinished }, true},
		"paused":     {func(s *simkubev1.Simulation) { s.Status.Driver.Paused = true }, true},
		"a run":      {func(s *simkubev1.Simulation) { s.Status.Driver.Summaries = []simkubev1.RunSummary{{}} }, true},
		"annotation": {func(s *simkubev1.Simulation) { s.Annotations = map[string]string{"a": "b"} }, true},
	} {
		after := base.DeepCopy()
		tc.change(after)
		if got := changed(base, after); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}
