package trace

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Config configures which objects a tracer follows.
type Config struct {
	TrackedObjects map[schema.GroupVersionKind]TrackedObject
}

// TrackedObject configures how the objects of one kind are followed.
type TrackedObject struct {
	// PodSpecTemplatePaths point to the pod templates in the object; see [ResolvePaths]. They are not
	// needed for known kinds. An object of another kind without paths creates no pods.
	PodSpecTemplatePaths []string
	// TrackLifecycle records the lifecycles of the pods.
	TrackLifecycle bool
	// SkipOwned leaves out objects that have an owner.
	SkipOwned bool
}

// PodSpecTemplatePaths returns the pointers to the pod templates of a kind: the built-in ones of a
// known kind, otherwise the configured ones. It returns none if objects of the kind create no pods.
func (c *Config) PodSpecTemplatePaths(gvk schema.GroupVersionKind) []string {
	if path, ok := knownPath(gvk); ok {
		return []string{path}
	}
	return slices.Clone(c.TrackedObjects[gvk].PodSpecTemplatePaths)
}

// SameMeaning reports whether two configurations of a kind mean the same: the paths of a known kind
// may be spelled out or not, and the order of paths does not matter.
func (o TrackedObject) SameMeaning(other TrackedObject, gvk schema.GroupVersionKind) bool {
	if o.TrackLifecycle != other.TrackLifecycle || o.SkipOwned != other.SkipOwned {
		return false
	}
	return KnownKind(gvk) || slices.Equal(sortedSet(o.PodSpecTemplatePaths), sortedSet(other.PodSpecTemplatePaths))
}

func sortedSet(paths []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(paths)))
}

// KnownKind reports whether the kind has built-in paths to its pod templates. An owner of a known
// kind has one type of pod, so its pods' hashes are not compared when a lifecycle is looked up.
func KnownKind(gvk schema.GroupVersionKind) bool {
	_, ok := knownPath(gvk)
	return ok
}

func knownPath(gvk schema.GroupVersionKind) (string, bool) {
	switch gvk {
	case schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"},
		schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "StatefulSet"},
		schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "DaemonSet"},
		schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ReplicaSet"},
		schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}:
		return "/spec/template", true
	case schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"}:
		return "/spec/jobTemplate/spec/template", true
	case schema.GroupVersionKind{Version: "v1", Kind: "Pod"}:
		return "", true
	}
	return "", false
}
