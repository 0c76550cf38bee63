package controller

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	simkubev1 "simkube.io/simkube/api/v1"
)

func (s *session) addFinalizer(ctx context.Context) error {
	if slices.Contains(s.sim.Finalizers, Finalizer) {
		return nil
	}
	after := s.sim.DeepCopy()
	controllerutil.AddFinalizer(after, Finalizer)
	if err := s.patchMeta(ctx, after); err != nil {
		return fmt.Errorf("add the finalizer: %w", err)
	}
	return nil
}

func (s *session) removeFinalizer(ctx context.Context) error {
	if !slices.Contains(s.sim.Finalizers, Finalizer) {
		return nil
	}
	after := s.sim.DeepCopy()
	controllerutil.RemoveFinalizer(after, Finalizer)
	if err := s.patchMeta(ctx, after); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove the finalizer: %w", err)
	}
	return nil
}

// patchMeta writes the metadata, and fails with a conflict if it has changed: a merge patch
// replaces the whole list of finalizers.
func (s *session) patchMeta(ctx context.Context, after *simkubev1.Simulation) error {
	before := s.sim
	if err := s.client.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	s.sim = after
	return nil
}
