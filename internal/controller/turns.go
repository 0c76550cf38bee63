package controller

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	simkubev1 "simkube.io/simkube/api/v1"
)

// DefaultMaxSimulations is how many simulations run at once by default.
const DefaultMaxSimulations = 1

// Turns returns the simulations that may run, at most limit of them; a limit below 1 means the
// default. Active simulations keep their place, even above the limit. The other places go to the
// waiting ones, oldest first, but never to two with the same virtualNsPrefix: one whose prefix is
// taken is skipped and does not block those behind it.
func Turns(sims []simkubev1.Simulation, limit int) map[types.UID]bool {
	if limit < 1 {
		limit = DefaultMaxSimulations
	}
	allowed := make(map[types.UID]bool)
	prefixes := make(map[string]bool)
	var waiting []*simkubev1.Simulation
	for i := range sims {
		s := &sims[i]
		switch state(s) {
		case simkubev1.SimulationFinished, simkubev1.SimulationFailed:
		case "", simkubev1.SimulationBlocked:
			if s.DeletionTimestamp == nil {
				waiting = append(waiting, s)
			}
		default:
			allowed[s.UID] = true
			prefixes[prefix(s)] = true
		}
	}
	slices.SortFunc(waiting, older)
	for _, s := range waiting {
		if len(allowed) >= limit {
			break
		}
		if p := prefix(s); !prefixes[p] {
			allowed[s.UID] = true
			prefixes[p] = true
		}
	}
	return allowed
}

// older orders by creation time, and by name within the same second.
func older(a, b *simkubev1.Simulation) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

func prefix(s *simkubev1.Simulation) string {
	return cmp.Or(s.Spec.Driver.VirtualNsPrefix, simkubev1.DefaultVirtualNsPrefix)
}

// state returns the state, which is empty for a simulation that was not reconciled yet.
func state(s *simkubev1.Simulation) simkubev1.SimulationState {
	if s.Status == nil {
		return ""
	}
	return s.Status.State
}
