package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/virtualns"
)

// cleanUpTimeout bounds one round of cleaning up, so that a large simulation does not occupy a
// worker for long.
const cleanUpTimeout = 10 * time.Second

// cleanUpSimulated removes what drivers have created, below each of their roots. A root that is
// gone may still own objects, because the garbage collector runs later. Objects that were orphaned
// when their root was deleted stay.
func (s *session) cleanUpSimulated(ctx context.Context) error {
	var roots simkubev1.SimulationRootList
	if err := s.reader.List(ctx, &roots, client.MatchingLabels{simkubev1.LabelSimulation: simkubev1.LabelValue(s.sim.Name)}); err != nil {
		return fmt.Errorf("list SimulationRoots: %w", err)
	}
	var namespaces metav1.PartialObjectMetadataList
	namespaces.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	err := s.reader.List(ctx, &namespaces, client.MatchingLabels(simkubev1.SimulatedLabels(s.sim.Name)))
	// Without the permission, no namespace was created either.
	if err != nil && !apierrors.IsForbidden(err) {
		return fmt.Errorf("list simulated namespaces: %w", err)
	}
	for _, name := range driverRoots(s.sim, roots.Items, namespaces.Items) {
		if err := s.cleanUpBelow(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// driverRoots returns the names of the roots that may still own something, whether the roots exist
// or not: those found, that of the driver that last wrote its status, and the owners of simulated
// namespaces. It leaves out the metaroot and invalid names.
func driverRoots(sim *simkubev1.Simulation, roots []simkubev1.SimulationRoot, namespaces []metav1.PartialObjectMetadata) []string {
	names := map[string]bool{}
	for i := range roots {
		names[roots[i].Name] = true
	}
	if driver := (observed{sim: sim}).driver(); driver.Pod != "" {
		names[simkubev1.DriverRootName(driver.Pod)] = true
	}
	for i := range namespaces {
		for _, ref := range namespaces[i].OwnerReferences {
			if isRoot(ref, ref.Name) {
				names[ref.Name] = true
			}
		}
	}
	maps.DeleteFunc(names, func(name string, _ bool) bool { return checkSegments(name) != nil })
	delete(names, simkubev1.MetarootName(sim.Name))
	return slices.Sorted(maps.Keys(names))
}

func (s *session) cleanUpBelow(ctx context.Context, root string) error {
	engine, err := replay.New(s.opts.Config, replay.Options{
		Simulation: s.sim.Name, RootName: root, Namespaces: virtualns.New(s.sim.Spec.Driver.VirtualNsPrefix), Logger: s.log,
	})
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, cleanUpTimeout)
	defer cancel()
	err = engine.Cleanup(limited, nil)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return waitFor(time.Second, reasonCleaningUp, "Removing simulated objects: %v", err)
	}
	return err
}

// removeParts removes what the controller has created, and waits until it is gone.
func (s *session) removeParts(ctx context.Context) error {
	namespace := s.sim.Spec.Driver.Namespace
	root := objects.Metaroot(s.sim)
	parts := []client.Object{
		objects.Service(s.sim, root),
		&corev1.ConfigMap{},
	}
	parts[1].SetNamespace(namespace)
	parts[1].SetName(simkubev1.DriverCheckpointName(s.sim.Name))
	if prometheus, has := metricsPart(s.sim, root); has {
		parts = append(parts, prometheus)
	}
	if err := s.remove(ctx, objects.Webhook(s.sim, nil), isWebhookOf(s.sim)); err != nil {
		return err
	}
	for _, part := range parts {
		if err := s.remove(ctx, part, func(found client.Object) bool { return isOwned(found, s.sim) }); err != nil {
			return err
		}
	}
	if err := s.releaseCertificate(ctx); err != nil {
		return err
	}
	if err := s.remove(ctx, root, func(found client.Object) bool { return hasOwner(found, s.sim.UID) }); err != nil {
		return err
	}
	return s.deleteUnusedNamespace(ctx)
}

// remove deletes an object if ours returns true for it, and waits until it is gone.
func (s *session) remove(ctx context.Context, object client.Object, ours func(client.Object) bool) error {
	found := empty(object)
	err := s.reader.Get(ctx, client.ObjectKeyFromObject(object), found)
	if isGone(err) || err == nil && !ours(found) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", describe(object), err)
	}
	if found.GetDeletionTimestamp() == nil {
		if err := s.delete(ctx, found); err != nil {
			return err
		}
		if err = s.reader.Get(ctx, client.ObjectKeyFromObject(object), found); isGone(err) {
			return nil
		}
	}
	reason, message := describeDeletion(found, s.opts.Clock.Now())
	return waitFor(time.Second, reason, "%s", message)
}

// isGone reports whether an error means that an object does not exist, its kind does not exist, or
// the controller may not read it. In the last case the controller did not create it either, or it
// lost the permission since: then the object goes with the metaroot, and a webhook when the
// permission is back. A missing permission must not block a deletion.
func isGone(err error) bool {
	return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) || apierrors.IsForbidden(err)
}

// isOwned reports whether the simulation's metaroot owns an object.
func isOwned(object client.Object, sim *simkubev1.Simulation) bool {
	return hasOwnerNamed(object, &simkubev1.SimulationRoot{ObjectMeta: metav1.ObjectMeta{Name: simkubev1.MetarootName(sim.Name)}})
}
