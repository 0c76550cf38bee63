package controller_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller"
)

func sim(name string, created int64, prefix string, state simkubev1.SimulationState) simkubev1.Simulation {
	s := simkubev1.Simulation{}
	s.Name, s.UID = name, types.UID(name)
	s.CreationTimestamp = metav1.NewTime(time.Unix(created, 0))
	s.Spec.Driver.VirtualNsPrefix = prefix
	if state != "" {
		s.Status = &simkubev1.SimulationStatus{State: state}
	}
	return s
}

func TestTurns(t *testing.T) {
	deleted := sim("a", 1, "p", "")
	deleted.DeletionTimestamp = &metav1.Time{}
	for name, tc := range map[string]struct {
		sims  []simkubev1.Simulation
		limit int
		want  []types.UID
	}{
		"oldest first":          {[]simkubev1.Simulation{sim("b", 2, "q", ""), sim("a", 1, "p", "Blocked")}, 1, []types.UID{"a"}},
		"same second by name":   {[]simkubev1.Simulation{sim("b", 1, "q", ""), sim("a", 1, "p", "")}, 1, []types.UID{"a"}},
		"active keeps place":    {[]simkubev1.Simulation{sim("a", 1, "p", ""), sim("b", 2, "q", "Paused")}, 1, []types.UID{"b"}},
		"active above limit":    {[]simkubev1.Simulation{sim("a", 1, "p", "Running"), sim("b", 2, "q", "Retrying")}, 1, []types.UID{"a", "b"}},
		"ended frees place":     {[]simkubev1.Simulation{sim("a", 1, "p", "Finished"), sim("b", 2, "p", "")}, 1, []types.UID{"b"}},
		"same prefix waits":     {[]simkubev1.Simulation{sim("a", 1, "p", ""), sim("b", 2, "p", ""), sim("c", 3, "q", "")}, 2, []types.UID{"a", "c"}},
		"default prefix":        {[]simkubev1.Simulation{sim("a", 1, "", "Running"), sim("b", 2, "virtual", "")}, 2, []types.UID{"a"}},
		"deleted never starts":  {[]simkubev1.Simulation{deleted, sim("b", 2, "p", "")}, 1, []types.UID{"b"}},
		"limit zero is default": {[]simkubev1.Simulation{sim("a", 1, "p", ""), sim("b", 2, "q", "")}, 0, []types.UID{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.Sorted(maps.Keys(controller.Turns(tc.sims, tc.limit)))
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
