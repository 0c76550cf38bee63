// Package kinds determines the kinds that a tracer must follow in addition to those that it is
// configured to record.
package kinds

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Pod returns the kind of pods.
func Pod() schema.GroupVersionKind { return corev1.SchemeGroupVersion.WithKind("Pod") }

// Node returns the kind of nodes.
func Node() schema.GroupVersionKind { return corev1.SchemeGroupVersion.WithKind("Node") }

// Lifecycles reports whether a configuration records the lifecycles of any pods. If so, all pods
// are followed.
func Lifecycles(config *trace.Config) bool {
	for _, tracked := range config.TrackedObjects {
		if tracked.TrackLifecycle {
			return true
		}
	}
	return false
}

// Between returns the kinds whose objects Kubernetes creates between those of configured kinds and
// their pods, sorted, whether or not they are configured themselves. There are none if pods are not
// followed. They must also be followed if lifecycles are tracked only for an owner further up, or
// if the owner is only recorded, because the owner of a pod determines whether it is part of an
// export.
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
