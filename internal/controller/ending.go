package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/words"
)

const cleaningMessage = "What was made for the simulation is being removed."

// failed writes the outcome down: the simulation has failed. What was made is removed from now on.
func (s *session) failed(ctx context.Context, f *failure) error {
	s.log.WarnContext(ctx, "the simulation has failed", "reason", f.reason, "message", f.message)
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

// done writes the outcome down: all repetitions are done.
func (s *session) done(ctx context.Context) error {
	now := s.opts.Clock.Now()
	return s.update(ctx, func(status *simkubev1.SimulationStatus) {
		if status.StartTime == nil {
			// It went by between two looks.
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

// finish gives the simulation its last state.
func (s *session) finish(ctx context.Context) error {
	now := s.opts.Clock.Now()
	return s.update(ctx, func(status *simkubev1.SimulationStatus) {
		status.State = simkubev1.SimulationFinished
		complete := metav1.Condition{
			Type: simkubev1.ConditionComplete, Status: metav1.ConditionTrue, Reason: reasonFinished,
			Message: fmt.Sprintf("%s done, and everything is cleaned up.", words.Count(max(status.CompletedRuns, 1), "repetition")),
		}
		ready := metav1.Condition{Type: simkubev1.ConditionReady, Status: metav1.ConditionFalse, Reason: reasonFinished, Message: complete.Message}
		if failed := conditionOf(s.sim, simkubev1.ConditionFailed); hasFailed(s.sim) {
			status.State = simkubev1.SimulationFailed
			complete.Status, complete.Reason, complete.Message = metav1.ConditionFalse, failed.Reason, "The simulation has failed."
			ready.Reason, ready.Message = failed.Reason, "The simulation has failed."
		}
		setCondition(status, complete, now)
		setCondition(status, ready, now)
	})
}

func asFailure(err error, failed **failure) bool { return errors.As(err, failed) }
