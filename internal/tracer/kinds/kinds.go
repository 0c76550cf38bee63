// Package kinds says which kinds a tracer has to follow because of those that it is configured to record.
package kinds

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Pod is the kind of pods.
func Pod() schema.GroupVersionKind { return corev1.SchemeGroupVersion.WithKind("Pod") }

// Node is the kind of nodes.
func Node() schema.GroupVersionKind { return corev1.SchemeGroupVersion.WithKind("Node") }

// Lifecycles says whether a configuration has the lifecycles of any pods recorded, for which all pods are followed.
func Lifecycles(config *trace.Config) bool {
	for _, tracked := range config.TrackedObjects {
		if tracked.TrackLifecycle {
			return true
		}
	}
	return false
}

// Between returns the kinds whose objects Kubernetes puts between those that a configuration names and their pods, sorted;
// whether they are named too does not matter. There are none when no pods are followed. They are followed even when only an owner further
// up has lifecycles tracked, and when the owner itself is only recorded: what its pods' owner is decides what is left out of an export.
func Between(config *trace.Config) []schema.GroupVersionKind {
	if _, pods := config.TrackedObjects[Pod()]; !pods && !Lifecycles(config) {
		return nil
	}
	var kinds []schema.GroupVersionKind
	for owner := range config.TrackedObjects {
		switch owner {
		case schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}:
			kinds = append(kinds, schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ReplicaSet"})
		case schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"}:
			kinds = append(kinds, schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"})
		}
	}
	slices.SortFunc(kinds, func(a, b schema.GroupVersionKind) int { return cmp.Compare(trace.FormatGVK(a), trace.FormatGVK(b)) })
	return kinds
}
