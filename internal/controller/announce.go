package controller

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// maxNote is the maximum length of an Event's note.
const maxNote = 1000

// announce records Events for what has changed in the status since before.
func (s *session) announce(ctx context.Context, before *simkubev1.Simulation) {
	now := state(s.sim)
	if now != state(before) {
		message := s.explain()
		s.log.InfoContext(ctx, "the simulation's state changed", "from", state(before), "to", now, "message", message)
		s.event(eventType(now), string(now), "ChangeState", message)
		return
	}
	was, is := conditionOf(before, simkubev1.ConditionReady), conditionOf(s.sim, simkubev1.ConditionReady)
	if is != nil && is.Status == metav1.ConditionFalse && isProblem(is.Reason) && (was == nil || was.Reason != is.Reason) {
		s.log.WarnContext(ctx, "the simulation is not ready", "reason", is.Reason, "message", is.Message)
		s.event(corev1.EventTypeWarning, is.Reason, "Wait", is.Message)
	}
}

// explain returns the message of the condition that describes the state best.
func (s *session) explain() string {
	for _, kind := range []string{simkubev1.ConditionFailed, simkubev1.ConditionComplete, simkubev1.ConditionReady} {
		if condition := conditionOf(s.sim, kind); condition != nil && condition.Message != "" && (kind == simkubev1.ConditionReady || isEnded(s.sim)) {
			return condition.Message
		}
	}
	return "The simulation is " + string(state(s.sim))
}

func (s *session) event(kind, reason, action, note string) {
	s.recorder.Eventf(s.sim, nil, kind, reason, action, "%s", words.ClipMiddle(printable.Text(note), maxNote))
}

func eventType(state simkubev1.SimulationState) string {
	switch state {
	case simkubev1.SimulationFailed, simkubev1.SimulationRetrying:
		return corev1.EventTypeWarning
	default:
		return corev1.EventTypeNormal
	}
}

// isProblem reports whether a reason calls for action by a user.
func isProblem(reason string) bool {
	switch reason {
	case reasonBlocked, reasonInitializing, reasonReplaying, reasonPaused, reasonRetrying, reasonCleaningUp, reasonFinished:
		return false
	default:
		return true
	}
}
