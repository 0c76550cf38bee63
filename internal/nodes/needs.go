package nodes

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// labelNeeds are the labels that a pod needs of its node, as changes of the labels of other nodes.
type labelNeeds struct {
	// base are the values of the labels of the other nodes.
	base map[string][]string
	// pinned are the values that the pod accepts; without are the labels that must not be there.
	pinned  map[string][]string
	without map[string]bool
	// names are the names of the nodes that the pod accepts. It is nil if any name will do.
	names []string
	// excluded are values that a requirement excludes.
	excluded map[string][]string
}

// needsOf returns what a template needs of the labels of its nodes: one alternative for each term
// of its node affinity that can be satisfied, those with the fewest changes first.
func needsOf(template *podTemplate, base map[string][]string) []*labelNeeds {
	spec := &template.pod.Spec
	terms := requiredTerms(spec)
	if len(terms) == 0 {
		terms = []corev1.NodeSelectorTerm{{}}
	}
	var alternatives []*labelNeeds
	for i := range terms {
		needs := &labelNeeds{base: base, pinned: map[string][]string{}, without: map[string]bool{}, excluded: map[string][]string{}}
		if needs.satisfy(spec, &terms[i]) {
			needs.reduce(template)
			alternatives = append(alternatives, needs)
		}
	}
	slices.SortStableFunc(alternatives, func(a, b *labelNeeds) int { return a.changes() - b.changes() })
	return alternatives
}

// satisfy adds what a selector and a term of an affinity require. It returns false if that is
// contradictory.
func (n *labelNeeds) satisfy(spec *corev1.PodSpec, term *corev1.NodeSelectorTerm) bool {
	if spec.NodeName != "" && !n.name(spec.NodeName) {
		return false
	}
	for _, key := range slices.Sorted(maps.Keys(spec.NodeSelector)) {
		if !n.in(key, []string{spec.NodeSelector[key]}) {
			return false
		}
	}
	for _, requirement := range term.MatchFields {
		if requirement.Key == metadataName && requirement.Operator == corev1.NodeSelectorOpIn && !n.name(requirement.Values...) {
			return false
		}
	}
	// Requirements that leave a choice come after those that do not.
	order := []corev1.NodeSelectorOperator{
		corev1.NodeSelectorOpNotIn, corev1.NodeSelectorOpIn, corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt,
		corev1.NodeSelectorOpExists, corev1.NodeSelectorOpDoesNotExist,
	}
	for _, operator := range order {
		for _, requirement := range term.MatchExpressions {
			if requirement.Operator == operator && !n.require(requirement) {
				return false
			}
		}
	}
	return n.exclude()
}

func (n *labelNeeds) require(r corev1.NodeSelectorRequirement) bool {
	switch r.Operator {
	case corev1.NodeSelectorOpIn:
		return n.in(r.Key, r.Values)
	case corev1.NodeSelectorOpNotIn:
		n.excluded[r.Key] = append(n.excluded[r.Key], r.Values...)
		return true
	case corev1.NodeSelectorOpExists:
		return r.Key == corev1.LabelHostname || len(n.values(r.Key)) > 0 || n.in(r.Key, n.allowed(r.Key, "true", "yes", "1"))
	case corev1.NodeSelectorOpDoesNotExist:
		if len(n.pinned[r.Key]) > 0 || r.Key == corev1.LabelHostname {
			return false
		}
		n.without[r.Key] = true
		return true
	case corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt:
		return n.compare(r)
	}
	return false
}

// values returns the values that a label can have.
func (n *labelNeeds) values(key string) []string {
	if values := n.pinned[key]; len(values) > 0 {
		return values
	}
	return n.allowed(key, n.base[key]...)
}

// allowed returns the values that no requirement excludes.
func (n *labelNeeds) allowed(key string, values ...string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(value string) bool { return slices.Contains(n.excluded[key], value) })
}

// in restricts the values of a label. It keeps values that other nodes have if there are any.
func (n *labelNeeds) in(key string, accepted []string) bool {
	if key == corev1.LabelHostname {
		return n.name(accepted...)
	}
	if len(validation.IsQualifiedName(key)) > 0 {
		return false
	}
	accepted = slices.DeleteFunc(n.allowed(key, accepted...), func(value string) bool {
		return len(validation.IsValidLabelValue(value)) > 0
	})
	common := slices.DeleteFunc(slices.Clone(n.values(key)), func(value string) bool { return !slices.Contains(accepted, value) })
	if len(common) == 0 && len(n.pinned[key]) == 0 {
		common = accepted
	}
	if len(common) == 0 {
		return false
	}
	n.pinned[key] = common
	return true
}

func (n *labelNeeds) compare(r corev1.NodeSelectorRequirement) bool {
	if len(r.Values) != 1 {
		return false
	}
	bound, err := strconv.ParseInt(r.Values[0], 10, 64)
	if err != nil {
		return false
	}
	step := int64(1)
	if r.Operator == corev1.NodeSelectorOpLt {
		step = -1
	}
	matching := slices.DeleteFunc(slices.Clone(n.values(r.Key)), func(value string) bool {
		have, err := strconv.ParseInt(value, 10, 64)
		return err != nil || step > 0 && have <= bound || step < 0 && have >= bound
	})
	if len(matching) > 0 {
		n.pinned[r.Key] = matching
		return true
	}
	for bound += step; slices.Contains(n.excluded[r.Key], strconv.FormatInt(bound, 10)); {
		bound += step
	}
	return n.in(r.Key, []string{strconv.FormatInt(bound, 10)})
}

// name restricts the names of the nodes.
func (n *labelNeeds) name(accepted ...string) bool {
	accepted = slices.DeleteFunc(slices.Clone(accepted), func(name string) bool {
		return n.names != nil && !slices.Contains(n.names, name) || len(validation.IsDNS1123Subdomain(name)) > 0 || len(name) > validation.LabelValueMaxLength
	})
	slices.Sort(accepted)
	n.names = slices.Compact(accepted)
	return len(n.names) > 0
}

// exclude removes excluded values from the labels of the other nodes.
func (n *labelNeeds) exclude() bool {
	for key := range n.excluded {
		if len(n.pinned[key]) > 0 || n.without[key] || len(n.base[key]) == 0 {
			continue
		}
		allowed := n.allowed(key, n.base[key]...)
		if len(allowed) == 0 && key == corev1.LabelTopologyZone {
			allowed = n.allowed(key, otherDomains(key, len(n.excluded[key]))...)
		}
		if len(allowed) > 0 {
			n.pinned[key] = allowed
		} else {
			n.without[key] = true
		}
	}
	return true
}

// reduce removes what the other nodes have anyway, and all values but the first of labels of which
// one is enough.
func (n *labelNeeds) reduce(template *podTemplate) {
	for key, values := range n.pinned {
		if slices.Equal(values, n.base[key]) {
			delete(n.pinned, key)
		} else if !spreads(template, key) {
			n.pinned[key] = values[:1]
		}
	}
	for key := range n.without {
		if len(n.base[key]) == 0 {
			delete(n.without, key)
		}
	}
}

func (n *labelNeeds) changes() int { return len(n.pinned) + len(n.without) + len(n.names) }

// String identifies the labels, without the names.
func (n *labelNeeds) String() string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(n.pinned)) {
		parts = append(parts, fmt.Sprintf("%s=%s", key, strings.Join(n.pinned[key], "|")))
	}
	for _, key := range slices.Sorted(maps.Keys(n.without)) {
		parts = append(parts, "!"+key)
	}
	return strings.Join(parts, ",")
}

// otherDomains returns one value more than those that are excluded.
func otherDomains(key string, excluded int) []string {
	values := make([]string, 0, excluded+1)
	for i := range excluded + 1 {
		values = append(values, domain(key, i))
	}
	return values
}
