package nodes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Shape is the size, labels and taints of a simulated node. Its text form is the value of
// --node-shape, see [ParseShape]. The zero value means [DefaultShape].
type Shape struct {
	// Resources is both the capacity and the allocatable resources.
	Resources corev1.ResourceList
	// Labels are added to those that every simulated node has. The values of a label are assigned
	// round robin: node i gets the value i modulo their number.
	Labels map[string][]string
	// Taints are the taints of the node; by default it has none.
	Taints []corev1.Taint
}

// DefaultShape returns cpu=32,memory=128Gi,pods=110,ephemeral-storage=1Ti: the size of a common
// cloud instance, with ample scratch space.
func DefaultShape() Shape {
	return Shape{Resources: defaultResources()}
}

func defaultResources() corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("32"),
		corev1.ResourceMemory:           resource.MustParse("128Gi"),
		corev1.ResourcePods:             resource.MustParse("110"),
		corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
	}
}

// orDefault returns s, with the default resources if it has none.
func (s Shape) orDefault() Shape {
	if len(s.Resources) == 0 {
		s.Resources = defaultResources()
	}
	return s
}

// String returns the text that [ParseShape] parses to the same shape: cpu, memory and pods first,
// then the other resources, labels and taints, each sorted by name. ephemeral-storage is left out
// if it has its default value.
func (s Shape) String() string {
	s = s.orDefault()
	var parts []string
	for _, name := range sortedResources(s.Resources) {
		quantity := s.Resources[name]
		if name == corev1.ResourceEphemeralStorage && quantity.Cmp(defaultResources()[name]) == 0 {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s=%s", name, quantity.String()))
	}
	for _, key := range slices.Sorted(maps.Keys(s.Labels)) {
		parts = append(parts, fmt.Sprintf("label.%s=%s", key, strings.Join(s.Labels[key], "|")))
	}
	taints := slices.Clone(s.Taints)
	slices.SortFunc(taints, compareTaints)
	for _, taint := range taints {
		parts = append(parts, fmt.Sprintf("taint.%s=%s:%s", taint.Key, taint.Value, taint.Effect))
	}
	return strings.Join(parts, ",")
}

// MarshalText implements [encoding.TextMarshaler] with [Shape.String].
func (s Shape) MarshalText() ([]byte, error) {
	return []byte(s.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler] with [ParseShape].
func (s *Shape) UnmarshalText(text []byte) error {
	shape, err := ParseShape(string(text))
	if err != nil {
		return err
	}
	*s = shape
	return nil
}

// sortedResources returns the names of a list: cpu, memory and pods first, then the others sorted.
func sortedResources[V any](list map[corev1.ResourceName]V) []corev1.ResourceName {
	rank := map[corev1.ResourceName]int{corev1.ResourceCPU: -3, corev1.ResourceMemory: -2, corev1.ResourcePods: -1}
	return slices.SortedFunc(maps.Keys(list), func(a, b corev1.ResourceName) int {
		return cmp.Or(cmp.Compare(rank[a], rank[b]), cmp.Compare(a, b))
	})
}

func compareTaints(a, b corev1.Taint) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Effect, b.Effect), cmp.Compare(a.Value, b.Value))
}
