package rbac

import (
	"cmp"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Kinds returns the kinds that a tracer reads with a configuration, sorted: those configured; pods, if lifecycles are recorded; what
// stands between pods and their owners; and nodes, unless they are not recorded.
func Kinds(config *trace.Config, nodes bool) []schema.GroupVersionKind {
	pod := schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	kinds := map[schema.GroupVersionKind]bool{}
	for gvk, tracked := range config.TrackedObjects {
		kinds[gvk] = true
		if tracked.TrackLifecycle {
			kinds[pod] = true
		}
	}
	if kinds[pod] {
		for owner, middle := range between() {
			if _, tracked := config.TrackedObjects[owner]; tracked {
				kinds[middle] = true
			}
		}
	}
	if nodes {
		kinds[schema.GroupVersionKind{Version: "v1", Kind: "Node"}] = true
	}
	return slices.SortedFunc(maps.Keys(kinds), func(a, b schema.GroupVersionKind) int {
		return cmp.Compare(trace.FormatGVK(a), trace.FormatGVK(b))
	})
}

// between has the kinds whose objects Kubernetes puts between an owner's and its pods.
func between() map[schema.GroupVersionKind]schema.GroupVersionKind {
	return map[schema.GroupVersionKind]schema.GroupVersionKind{
		{Group: "apps", Version: "v1", Kind: "Deployment"}: {Group: "apps", Version: "v1", Kind: "ReplicaSet"},
		{Group: "batch", Version: "v1", Kind: "CronJob"}:   {Group: "batch", Version: "v1", Kind: "Job"},
	}
}
