package controller

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// setCondition sets a condition. Its transition is the last change of its status or its reason: how long a simulation has
// been waiting for something is told by it.
func setCondition(status *simkubev1.SimulationStatus, condition metav1.Condition, now time.Time) {
	condition.LastTransitionTime = metav1.NewTime(now)
	condition.Message = words.ClipMiddle(printable.Text(condition.Message), maxMessage)
	for i := range status.Conditions {
		old := &status.Conditions[i]
		if old.Type != condition.Type {
			continue
		}
		if old.Status == condition.Status && old.Reason == condition.Reason {
			condition.LastTransitionTime = old.LastTransitionTime
		}
		*old = condition
		return
	}
	status.Conditions = append(status.Conditions, condition)
}

// The API takes longer messages; those who read them don't.
const maxMessage = 4096

func conditionOf(sim *simkubev1.Simulation, kind string) *metav1.Condition {
	if sim.Status == nil {
		return nil
	}
	return meta.FindStatusCondition(sim.Status.Conditions, kind)
}

// hasFailed tells whether the outcome of a simulation is known to be a failure.
func hasFailed(sim *simkubev1.Simulation) bool {
	failed := conditionOf(sim, simkubev1.ConditionFailed)
	return failed != nil && failed.Status == metav1.ConditionTrue
}

// isOver tells whether the outcome is known, whatever it is.
func isOver(sim *simkubev1.Simulation) bool {
	return hasFailed(sim) || conditionOf(sim, simkubev1.ConditionComplete) != nil
}

// isEnded tells whether nothing is left to do.
func isEnded(sim *simkubev1.Simulation) bool {
	return state(sim) == simkubev1.SimulationFinished || state(sim) == simkubev1.SimulationFailed
}

// isWaiting tells whether the simulation has not had its turn.
func isWaiting(sim *simkubev1.Simulation) bool {
	return state(sim) == "" || state(sim) == simkubev1.SimulationBlocked
}
