package rbac

import (
	"cmp"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/kinds"
	"simkube.io/simkube/trace"
)

// Kinds returns the kinds that a tracer reads with a configuration, sorted: those configured; pods,
// if lifecycles are recorded; kinds between pods and their owners; and nodes, if they are recorded.
func Kinds(config *trace.Config, nodes bool) []schema.GroupVersionKind {
	read := map[schema.GroupVersionKind]bool{}
	for gvk := range config.TrackedObjects {
		read[gvk] = true
	}
	for _, gvk := range kinds.Between(config) {
		read[gvk] = true
	}
	if kinds.Lifecycles(config) {
		read[kinds.Pod()] = true
	}
	if nodes {
		read[kinds.Node()] = true
	}
	return slices.SortedFunc(maps.Keys(read), func(a, b schema.GroupVersionKind) int {
		return cmp.Compare(trace.FormatGVK(a), trace.FormatGVK(b))
	})
}
