package export

import (
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// filters are compiled Filters.
type filters struct {
	kinds              map[schema.GroupVersionKind]trace.TrackedObject
	excluded, included map[string]bool
	labels             *Filters
	parser             trace.ObjectParser
}

func newFilters(config *trace.Config, f *Filters) *filters {
	set := func(list []string) map[string]bool {
		m := make(map[string]bool, len(list))
		for _, s := range list {
			m[s] = true
		}
		return m
	}
	return &filters{kinds: config.TrackedObjects, excluded: set(f.ExcludedNamespaces), included: set(f.IncludedNamespaces), labels: f}
}

// hasLabels reports whether labels matter.
func (f *filters) hasLabels() bool {
	return len(f.labels.ExcludedLabels)+len(f.labels.IncludedLabels) > 0
}

// key reports whether an object with this key can pass.
func (f *filters) key(key log.Key) bool {
	_, tracked := f.kinds[key.GVK]
	return tracked && f.namespace(key)
}

// leavesOut reports whether an object with this key is left out because of its namespace alone.
func (f *filters) leavesOut(key log.Key) bool {
	_, tracked := f.kinds[key.GVK]
	return tracked && !f.namespace(key)
}

// namespace reports whether the namespace of an object passes.
func (f *filters) namespace(key log.Key) bool {
	if len(f.excluded)+len(f.included) == 0 {
		return true
	}
	namespace := namespaceOf(key)
	return namespace == "" || !f.excluded[namespace] && (len(f.included) == 0 || f.included[namespace])
}

// object reports whether an object passes, by its labels.
func (f *filters) object(raw []byte) (bool, error) {
	if !f.hasLabels() {
		return true, nil
	}
	obj, err := f.parser.Parse(raw)
	if err != nil {
		return false, err
	}
	matches := func(selectors []labels.Selector) bool {
		for _, s := range selectors {
			if s.Matches(obj.Labels()) {
				return true
			}
		}
		return false
	}
	return !matches(f.labels.ExcludedLabels) && (len(f.labels.IncludedLabels) == 0 || matches(f.labels.IncludedLabels)), nil
}
