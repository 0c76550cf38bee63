package controller

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
)

// recheck is how often a step is repeated that waits for something that is not watched.
const recheck = 2 * time.Second

// session is one reconciliation of a simulation.
type session struct {
	*controller
	log *slog.Logger
	// sim is the simulation as last read or written; never nil.
	sim *simkubev1.Simulation
	// root is the metaroot. It is nil until the step that creates it.
	root *simkubev1.SimulationRoot
	// job is the driver's. It is nil until the step that creates it.
	job *batchv1.Job
}

// status returns the status, which is never nil. It must not be modified.
func (s *session) status() *simkubev1.SimulationStatus {
	if s.sim.Status == nil {
		return &simkubev1.SimulationStatus{}
	}
	return s.sim.Status
}

// refresh reads the simulation again, bypassing the cache.
func (s *session) refresh(ctx context.Context) error {
	sim := &simkubev1.Simulation{}
	if err := s.reader.Get(ctx, client.ObjectKeyFromObject(s.sim), sim); err != nil {
		return fmt.Errorf("read the simulation: %w", err)
	}
	if sim.UID != s.sim.UID {
		return fmt.Errorf("the simulation %s was replaced by another of its name", sim.Name)
	}
	s.sim = sim
	return nil
}

// update changes the status and records Events. It does not write the driver's part, which may be
// out of date here.
func (s *session) update(ctx context.Context, change func(*simkubev1.SimulationStatus)) error {
	return s.patch(ctx, change, client.MergeFrom)
}

// updateExactly is update, but fails with a conflict if the simulation has changed since it was
// read.
func (s *session) updateExactly(ctx context.Context, change func(*simkubev1.SimulationStatus)) error {
	return s.patch(ctx, change, func(before client.Object) client.Patch {
		return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	})
}

func (s *session) patch(ctx context.Context, change func(*simkubev1.SimulationStatus), patch func(client.Object) client.Patch) error {
	before, after := s.sim, s.sim.DeepCopy()
	if after.Status == nil {
		after.Status = &simkubev1.SimulationStatus{}
	}
	change(after.Status)
	after.Status.ObservedGeneration = after.Generation
	for i := range after.Status.Conditions {
		after.Status.Conditions[i].ObservedGeneration = after.Generation
	}
	if apiequality.Semantic.DeepEqual(before.Status, after.Status) {
		return nil
	}
	if err := s.client.Status().Patch(ctx, after, patch(before)); err != nil {
		return fmt.Errorf("write the status: %w", err)
	}
	s.sim = after
	s.announce(ctx, before)
	return nil
}

// ready sets the condition Ready, and the state unless it is empty.
func (s *session) ready(ctx context.Context, state simkubev1.SimulationState, ready metav1.ConditionStatus, reason, message string) error {
	return s.update(ctx, func(status *simkubev1.SimulationStatus) {
		if state != "" {
			status.State = state
		}
		setCondition(status, metav1.Condition{
			Type: simkubev1.ConditionReady, Status: ready, Reason: reason, Message: message,
		}, s.opts.Clock.Now())
	})
}

// missing waits for something that is missing, and returns a failure if its grace period is over.
func (s *session) missing(grace time.Duration, reason, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	if ready := conditionOf(s.sim, simkubev1.ConditionReady); ready != nil && ready.Reason == reason &&
		s.opts.Clock.Since(ready.LastTransitionTime.Time) >= grace {
		return &failure{reason, message}
	}
	return &waiting{recheck, reason, message}
}
