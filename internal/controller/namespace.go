package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

// errInUse is returned for a namespace that may hold objects of users.
var errInUse = errors.New("it may hold objects of users")

// deleteUnusedNamespace deletes the driver's namespace if the controller created it, no other
// simulation uses it, and it is empty. It does not wait for the deletion: at worst an empty
// namespace stays.
func (s *session) deleteUnusedNamespace(ctx context.Context) error {
	name := s.sim.Spec.Driver.Namespace
	namespace := metadata(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err := s.reader.Get(ctx, client.ObjectKey{Name: name}, namespace)
	switch {
	case isGone(err) || err == nil && (namespace.DeletionTimestamp != nil || !isManagedNamespace(namespace)):
		return nil
	case err != nil:
		return fmt.Errorf("read namespace %s: %w", name, err)
	}
	var all simkubev1.SimulationList
	if err := s.reader.List(ctx, &all); err != nil {
		return fmt.Errorf("list simulations: %w", err)
	}
	if isUsed(name, all.Items, s.sim) {
		return nil // the last of them deletes it
	}
	if err := s.isEmpty(ctx, name); err != nil {
		s.log.InfoContext(ctx, "keeping the driver's namespace, which the controller created", "namespace", name, "reason", err)
		return nil
	}
	uid := namespace.UID
	err = s.client.Delete(ctx, namespace, client.Preconditions{UID: &uid})
	if err != nil && !isGone(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete namespace %s: %w", name, err)
	}
	return nil
}

// isManagedNamespace reports whether the controller created a namespace.
func isManagedNamespace(namespace client.Object) bool {
	return isManaged(namespace) && namespace.GetAnnotations()[objects.AnnotationUID] != ""
}

// isUsed reports whether the driver of another simulation is or will be in a namespace.
func isUsed(namespace string, sims []simkubev1.Simulation, but *simkubev1.Simulation) bool {
	return slices.ContainsFunc(sims, func(sim simkubev1.Simulation) bool {
		return sim.UID != but.UID && sim.Spec.Driver.Namespace == namespace && !isEnded(&sim)
	})
}

// isEmpty returns nil if a namespace holds nothing but what Kubernetes creates in every namespace.
// It ignores kinds that the controller may not list. Secrets that the simulation names are an
// exception: they may be in the namespace.
func (s *session) isEmpty(ctx context.Context, namespace string) error {
	lookup, err := discovery.NewDiscoveryClientForConfig(s.opts.Config)
	if err != nil {
		return err
	}
	lists, err := discovery.ServerPreferredNamespacedResources(lookup)
	if err != nil {
		return fmt.Errorf("%w: list kinds: %w", errInUse, err)
	}
	for _, list := range discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "delete"}}, lists) {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return fmt.Errorf("%w: %w", errInUse, err)
		}
		for i := range list.APIResources {
			kind := version.WithKind(list.APIResources[i].Kind)
			items := &metav1.PartialObjectMetadataList{}
			items.SetGroupVersionKind(version.WithKind(kind.Kind + "List"))
			err := s.reader.List(ctx, items, client.InNamespace(namespace))
			if apierrors.IsForbidden(err) && (kind.Kind != "Secret" || len(s.sim.Spec.Driver.Secrets) == 0) || apierrors.IsNotFound(err) {
				continue
			}
			if err != nil {
				return fmt.Errorf("%w: list %s: %w", errInUse, kind.Kind, err)
			}
			if name := firstForeign(kind, items.Items); name != "" {
				return fmt.Errorf("%w: %s %s", errInUse, kind.Kind, name)
			}
		}
	}
	return nil
}

// firstForeign returns the name of the first object that Kubernetes did not create by itself, or ""
// if there is none.
func firstForeign(kind schema.GroupVersionKind, items []metav1.PartialObjectMetadata) string {
	for i := range items {
		switch name := items[i].Name; {
		case kind.Kind == "Event" && (kind.Group == "" || kind.Group == "events.k8s.io"):
		case kind.Group == "" && kind.Kind == "ServiceAccount" && name == "default":
		case kind.Group == "" && kind.Kind == "ConfigMap" && name == "kube-root-ca.crt":
		default:
			return name
		}
	}
	return ""
}
