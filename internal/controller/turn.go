package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	simkubev1 "simkube.io/simkube/api/v1"
)

// blockedRecheck is how often a waiting simulation checks for its turn by itself. It is also woken
// when another one ends.
const blockedRecheck = 15 * time.Second

// takeTurn waits until the simulation may run. The decision is written to its status before another
// simulation is considered, so that no more than allowed start.
func (s *session) takeTurn(ctx context.Context) error {
	if !isWaiting(s.sim) {
		return nil
	}
	s.turns.Lock()
	defer s.turns.Unlock()
	var all simkubev1.SimulationList
	if err := s.reader.List(ctx, &all); err != nil {
		return fmt.Errorf("list simulations: %w", err)
	}
	at := slices.IndexFunc(all.Items, func(other simkubev1.Simulation) bool { return other.UID == s.sim.UID })
	if at < 0 {
		return waitFor(recheck, "", "the simulation is gone")
	}
	s.sim = &all.Items[at]
	if s.sim.DeletionTimestamp != nil {
		return waitFor(time.Millisecond, "", "the simulation is being deleted")
	}
	limit, err := s.maxSimulations(ctx)
	if err != nil {
		return err
	}
	allowed := Turns(all.Items, limit)
	if !allowed[s.sim.UID] {
		message := waitMessage(all.Items, allowed, s.sim)
		if err := s.ready(ctx, simkubev1.SimulationBlocked, metav1.ConditionFalse, reasonBlocked, message); err != nil {
			return err
		}
		return waitFor(blockedRecheck, "", "%s", message)
	}
	return s.updateExactly(ctx, func(status *simkubev1.SimulationStatus) {
		status.State = simkubev1.SimulationInitializing
		setCondition(status, metav1.Condition{
			Type: simkubev1.ConditionReady, Status: metav1.ConditionFalse,
			Reason: reasonInitializing, Message: "The driver is being set up.",
		}, s.opts.Clock.Now())
	})
}

// waitMessage says which simulations sim self waits for, given those that may run.
func waitMessage(sims []simkubev1.Simulation, allowed map[types.UID]bool, self *simkubev1.Simulation) string {
	var names []string
	for i := range sims {
		other := &sims[i]
		if !allowed[other.UID] {
			continue
		}
		if prefix(other) == prefix(self) {
			return fmt.Sprintf("Waiting for simulation %s, which has the same virtualNsPrefix %s.", other.Name, prefix(self))
		}
		names = append(names, other.Name)
	}
	slices.Sort(names)
	if len(names) == 1 {
		return fmt.Sprintf("Waiting for simulation %s: one may run at a time, unless annotation %s of lease %s allows more.",
			names[0], AnnotationMaxSimulations, simkubev1.LeaseName)
	}
	return fmt.Sprintf("Waiting for one of the simulations %s: %d may run at a time, as set by annotation %s of lease %s.",
		strings.Join(names, ", "), len(names), AnnotationMaxSimulations, simkubev1.LeaseName)
}
