package traceedit

import (
	"path"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Filters leave objects out. An object is kept if it matches no exclude filter and every include
// filter that is not empty.
type Filters struct {
	// ExcludedNamespaces are left out, together with their Namespace objects; IncludedNamespaces leave
	// out all other namespaces in the same way. Cluster-scoped objects pass both.
	ExcludedNamespaces, IncludedNamespaces []string
	// Kinds leave out all other kinds.
	Kinds []schema.GroupVersionKind
	// Names leave out objects whose name matches none of them. "*" matches any part of a name.
	Names []string
	// ExcludedLabels leave out objects that match any of them, IncludedLabels objects that match none
	// of them.
	ExcludedLabels, IncludedLabels []labels.Selector
}

// filter is a compiled Filters.
type filter struct {
	*Filters
	excluded, included map[string]bool
	kinds              map[schema.GroupVersionKind]bool
}

func newFilter(f *Filters) *filter {
	r := &filter{Filters: f, excluded: set(f.ExcludedNamespaces), included: set(f.IncludedNamespaces), kinds: set(f.Kinds)}
	return r
}

func set[T comparable](list []T) map[T]bool {
	m := make(map[T]bool, len(list))
	for _, v := range list {
		m[v] = true
	}
	return m
}

// all reports whether everything passes.
func (f *filter) all() bool {
	return len(f.excluded)+len(f.included)+len(f.kinds)+len(f.Names) == 0 && !f.hasLabels()
}

func (f *filter) hasLabels() bool { return len(f.ExcludedLabels)+len(f.IncludedLabels) > 0 }

// key reports whether an object can pass, based on its kind and name.
func (f *filter) key(gvk schema.GroupVersionKind, name string) bool {
	if len(f.kinds) > 0 && !f.kinds[gvk] {
		return false
	}
	namespace, object := trace.SplitNamespacedName(name)
	if !f.name(object) {
		return false
	}
	if namespace == "" && gvk.Group == "" && gvk.Kind == "Namespace" {
		namespace = object
	}
	return namespace == "" || !f.excluded[namespace] && (len(f.included) == 0 || f.included[namespace])
}

func (f *filter) name(name string) bool {
	for _, pattern := range f.Names {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			return true
		}
	}
	return len(f.Names) == 0
}

// object reports whether an object whose key passes also passes by its labels.
func (f *filter) object(o *trace.Object) bool {
	if !f.hasLabels() {
		return true
	}
	matches := func(selectors []labels.Selector) bool {
		for _, s := range selectors {
			if s.Matches(o.Labels()) {
				return true
			}
		}
		return false
	}
	return !matches(f.ExcludedLabels) && (len(f.IncludedLabels) == 0 || matches(f.IncludedLabels))
}
