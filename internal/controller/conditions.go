package controller

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// setCondition sets a condition. Its transition time is that of the last change of its status or
// its reason, so it says how long a simulation has been waiting for something.
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

// maxMessage keeps messages readable; the API allows longer ones.
const maxMessage = 4096

func conditionOf(sim *simkubev1.Simulation, kind string) *metav1.Condition {
	if sim.Status == nil {
		return nil
	}
	return meta.FindStatusCondition(sim.Status.Conditions, kind)
}

// hasFailed reports whether the simulation has the condition Failed.
func hasFailed(sim *simkubev1.Simulation) bool {
	failed := conditionOf(sim, simkubev1.ConditionFailed)
	return failed != nil && failed.Status == metav1.ConditionTrue
}

// isOver reports whether the outcome is known, success or failure.
func isOver(sim *simkubev1.Simulation) bool {
	return hasFailed(sim) || conditionOf(sim, simkubev1.ConditionComplete) != nil
}

// isEnded reports whether nothing is left to do.
func isEnded(sim *simkubev1.Simulation) bool {
	return state(sim) == simkubev1.SimulationFinished || state(sim) == simkubev1.SimulationFailed
}

// isWaiting reports whether the simulation still waits for its turn.
func isWaiting(sim *simkubev1.Simulation) bool {
	return state(sim) == "" || state(sim) == simkubev1.SimulationBlocked
}
