package mutate

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// ownerGone begins the error about a pod whose owner no longer exists.
const ownerGone = "find the deleted owner"

// OwnerGone reports whether a controller could not create a pod because the pod's owner no longer
// exists, by the controller's message. That is as it should be: nothing is missing.
func OwnerGone(message string) bool { return strings.Contains(message, ownerGone) }

// Deleted must be called for each object that was deleted, so that pods which a controller creates
// for it later are rejected: it may not have seen the deletion.
func (m *Mutator) Deleted(uid types.UID) { m.owners.forget(uid) }

// chainOf returns the owners of a pod up to the root. If an owner no longer exists, they are
// unknown: such a pod is rejected in the simulation's namespaces, where its controller retries if
// the pod is still needed, and left unchanged in others.
func (m *Mutator) chainOf(ctx context.Context, pod *corev1.Pod) (chain, error) {
	if len(pod.OwnerReferences) == 0 {
		return chain{}, nil
	}
	found, err := m.owners.resolve(ctx, pod.OwnerReferences, pod.Namespace)
	switch {
	case err == nil:
		return found, nil
	case (apierrors.IsNotFound(err) || meta.IsNoMatchError(err)) && !m.simulates(pod.Namespace):
		return chain{}, nil
	case apierrors.IsNotFound(err):
		return chain{}, fmt.Errorf("%s of pod %s: %w", ownerGone, nameOf(pod), err)
	default:
		return chain{}, fmt.Errorf("find the owners of pod %s: %w", nameOf(pod), err)
	}
}

// originalNamespace returns the namespace in which the pod's owner was recorded. The pod has it
// from its template, unless its controller does not copy the template's annotations.
func (m *Mutator) originalNamespace(pod *corev1.Pod) string {
	if namespace := pod.Annotations[simkubev1.AnnotationOriginalNamespace]; namespace != "" {
		return namespace
	}
	if !m.cfg.Shared {
		return pod.Namespace
	}
	recorded, _ := m.cfg.Namespaces.Recorded(pod.Namespace)
	return recorded
}

// simulates reports whether a namespace of the cluster may be one of the simulation.
func (m *Mutator) simulates(namespace string) bool {
	if !m.cfg.Shared {
		return true
	}
	_, ok := m.cfg.Namespaces.Recorded(namespace)
	return ok
}

// ownerOf returns the owner under which the trace has the pod's lifecycle: the nearest owner that
// has any, or else the replayed one. A bare pod is its own owner; a copy of it has the owner of the
// pod that it replaces.
func (m *Mutator) ownerOf(pod *corev1.Pod, chain chain, namespace string, hash uint64) trace.PodOwner {
	candidates := make([]trace.PodOwner, 0, len(chain.members)+1)
	if chain.bare {
		candidates = append(candidates, barePod(pod, namespace))
	}
	for _, member := range chain.members {
		owner := trace.PodOwner{GVK: member.gvk, Name: member.name}
		if member.namespace != "" {
			owner.Name = trace.NamespacedName(namespace, member.name)
		}
		candidates = append(candidates, owner)
	}
	for _, owner := range candidates {
		if m.cfg.Lifecycles.Len(owner, hash) > 0 {
			return owner
		}
	}
	if chain.bare {
		return candidates[0]
	}
	return candidates[chain.top]
}

func barePod(pod *corev1.Pod, namespace string) trace.PodOwner {
	owner := trace.PodOwner{GVK: corev1.SchemeGroupVersion.WithKind("Pod")}
	name := pod.Name
	if original := pod.Annotations[simkubev1.AnnotationOriginalOwner]; original != "" {
		if strings.Contains(original, "/") {
			owner.Name = original
			return owner
		}
		name = original
	}
	owner.Name = trace.NamespacedName(namespace, name)
	return owner
}
