package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

const cleaningMessage = "The objects created for the simulation are being removed."

// failed records that the simulation has failed. The clean-up follows.
func (s *session) failed(ctx context.Context, f *failure) error {
	s.log.WarnContext(ctx, "the simulation failed", "reason", f.reason, "message", f.message)
	now := s.opts.Clock.Now()
	err := s.update(ctx, func(status *simkubev1.SimulationStatus) {
		setCondition(status, metav1.Condition{Type: simkubev1.ConditionFailed, Status: metav1.ConditionTrue, Reason: f.reason, Message: f.message}, now)
		s.conclude(status, now)
	})
	if err == nil {
		s.event(corev1.EventTypeWarning, f.reason, "Fail", f.message)
	}
	return err
}

// done records that all repetitions have completed. The clean-up follows.
func (s *session) done(ctx context.Context) error {
	now := s.opts.Clock.Now()
	return s.update(ctx, func(status *simkubev1.SimulationStatus) {
		if status.StartTime == nil {
			// The replay began and ended between two calls of wait.
			start := metav1.NewTime(now)
			status.StartTime = &start
		}
		setCondition(status, metav1.Condition{
			Type: simkubev1.ConditionComplete, Status: metav1.ConditionFalse, Reason: reasonCleaningUp, Message: cleaningMessage,
		}, now)
		s.conclude(status, now)
	})
}

func (s *session) conclude(status *simkubev1.SimulationStatus, now time.Time) {
	end := metav1.NewTime(now)
	status.EndTime = &end
	status.CompletedRuns = completedRuns(status)
	setCondition(status, metav1.Condition{
		Type: simkubev1.ConditionReady, Status: metav1.ConditionFalse, Reason: reasonCleaningUp, Message: cleaningMessage,
	}, now)
}

// finish sets the final state.
func (s *session) finish(ctx context.Context) error {
	now := s.opts.Clock.Now()
	return s.update(ctx, func(status *simkubev1.SimulationStatus) {
		status.State = simkubev1.SimulationFinished
		complete := metav1.Condition{
			Type: simkubev1.ConditionComplete, Status: metav1.ConditionTrue, Reason: reasonFinished,
			Message: fmt.Sprintf("%s completed, and everything is cleaned up.", words.Count(max(status.CompletedRuns, 1), "repetition")) + fidelity(status),
		}
		ready := metav1.Condition{Type: simkubev1.ConditionReady, Status: metav1.ConditionFalse, Reason: reasonFinished, Message: complete.Message}
		if failed := conditionOf(s.sim, simkubev1.ConditionFailed); hasFailed(s.sim) {
			status.State = simkubev1.SimulationFailed
			complete.Status, complete.Reason, complete.Message = metav1.ConditionFalse, failed.Reason, "The simulation failed."
			ready.Reason, ready.Message = failed.Reason, "The simulation failed."
		}
		setCondition(status, complete, now)
		setCondition(status, ready, now)
	})
}

// fidelity returns a sentence on whether the trace was replayed as recorded, which follows another
// sentence. It is empty if that is not known.
func fidelity(status *simkubev1.SimulationStatus) string {
	if text := results.StatusAssessment(status.Driver); text != "" {
		return " The trace was " + text + "."
	}
	return ""
}

func asFailure(err error, failed **failure) bool { return errors.As(err, failed) }
