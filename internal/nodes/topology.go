package nodes

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// maxDomains is the maximum number of values that auto gives to a label.
const maxDomains = 100

// withDomains returns the shape with the labels of topologies, such as zones: the values that pods
// select, or as many values as rules between pods require. Labels that the shape has are kept.
func (s Shape) withDomains(demand *Demand) Shape {
	domains := topologies{named: map[string]map[string]bool{}, spread: map[string]bool{}, minimum: map[string]int{}}
	for i, template := range demand.templates {
		if pods := demand.owners[i].pods(); pods > 0 {
			domains.read(template, demand.owners[i])
		}
	}
	labels := maps.Clone(s.Labels)
	for _, key := range domains.keys() {
		if _, set := labels[key]; set {
			continue
		}
		if values := domains.values(key); len(values) > 0 {
			if labels == nil {
				labels = map[string][]string{}
			}
			labels[key] = values
		}
	}
	s.Labels = labels
	return s
}

// topologies are the labels by which pods are grouped.
type topologies struct {
	// named are the values that pods select, by label.
	named map[string]map[string]bool
	// spread are the labels over which pods are spread.
	spread map[string]bool
	// minimum is the number of values without which pods could not run, by label. Labels that only a
	// selector names are not among them.
	minimum map[string]int
}

func (t *topologies) read(template *podTemplate, owners templateOwners) {
	spec := &template.pod.Spec
	for key, value := range spec.NodeSelector {
		t.name(key, value)
	}
	for _, term := range requiredTerms(spec) {
		for _, requirement := range term.MatchExpressions {
			if requirement.Operator == corev1.NodeSelectorOpIn {
				t.name(requirement.Key, requirement.Values...)
			}
		}
	}
	if spec.Affinity != nil && spec.Affinity.PodAffinity != nil {
		for _, term := range spec.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
			t.require(term.TopologyKey, 1)
		}
	}
	for _, spread := range spec.TopologySpreadConstraints {
		t.spread[spread.TopologyKey] = true
		t.require(spread.TopologyKey, 1)
		if spread.MinDomains != nil {
			t.require(spread.TopologyKey, int(*spread.MinDomains))
		}
	}
	if template.perNode {
		return
	}
	for _, key := range selfExclusive(template.pod) {
		// Without the label, nodes do not take part in the rule.
		if t.minimum[key] == 0 && key != corev1.LabelTopologyZone && key != corev1.LabelTopologyRegion {
			continue
		}
		for _, owner := range owners {
			t.require(key, owner.Pods)
		}
	}
}

func (t *topologies) name(key string, values ...string) {
	for _, value := range values {
		if len(validation.IsValidLabelValue(value)) > 0 {
			continue
		}
		if t.named[key] == nil {
			t.named[key] = map[string]bool{}
		}
		t.named[key][value] = true
	}
}

func (t *topologies) require(key string, domains int) {
	t.minimum[key] = max(t.minimum[key], min(domains, maxDomains))
}

// keys returns the labels that the nodes need for a topology, sorted.
func (t *topologies) keys() []string {
	var keys []string
	for key := range t.minimum {
		if key != corev1.LabelHostname && len(validation.IsQualifiedName(key)) == 0 {
			keys = append(keys, key)
		}
	}
	for _, key := range []string{corev1.LabelTopologyZone, corev1.LabelTopologyRegion} {
		if _, known := t.minimum[key]; !known && len(t.named[key]) > 0 {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// values returns the values of a label, or nil if the default is enough.
func (t *topologies) values(key string) []string {
	values := slices.Sorted(maps.Keys(t.named[key]))
	minimum := t.minimum[key]
	if t.spread[key] && len(values) == 0 {
		minimum = max(minimum, len(defaultZones))
	}
	switch {
	case key == corev1.LabelTopologyRegion && minimum <= 1:
		// A cluster has one region. Other nodes are made for pods that select another one.
		return values[:min(len(values), 1)]
	case key == corev1.LabelTopologyZone && len(values) == 0 && minimum <= len(defaultZones):
		return nil
	}
	for i := 0; len(values) < minimum; i++ {
		if value := domain(key, i); !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	return values
}

// domain returns a value for a label of a topology: virtual-a for zones, rack-a for
// example.com/rack.
func domain(key string, i int) string {
	name := "virtual"
	if key != corev1.LabelTopologyZone {
		name = key[strings.LastIndexByte(key, '/')+1:]
		name = strings.TrimRight(name[:min(len(name), 55)], "-_.")
	}
	suffix := ""
	for i++; i > 0; i = (i - 1) / 26 {
		suffix = string(rune('a'+(i-1)%26)) + suffix
	}
	return name + "-" + suffix
}

// requiredTerms returns the terms of the required node affinity.
func requiredTerms(spec *corev1.PodSpec) []corev1.NodeSelectorTerm {
	if spec.Affinity == nil || spec.Affinity.NodeAffinity == nil {
		return nil
	}
	return spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
}

// spreads reports whether rules between the pods of a template depend on the values of a label.
func spreads(template *podTemplate, key string) bool {
	spec := &template.pod.Spec
	return key == corev1.LabelTopologyZone || slices.Contains(selfExclusive(template.pod), key) ||
		slices.ContainsFunc(spec.TopologySpreadConstraints, func(c corev1.TopologySpreadConstraint) bool { return c.TopologyKey == key })
}

// minNodes returns the number of nodes that rules between the pods of a template require, if it has
// this number of pods.
func minNodes(template *podTemplate, pods int) int {
	count := 0
	for _, spread := range template.pod.Spec.TopologySpreadConstraints {
		if spread.MinDomains != nil {
			count = max(count, int(*spread.MinDomains))
		}
	}
	if len(selfExclusive(template.pod)) > 0 {
		count = max(count, pods)
	}
	return min(count, maxDomains)
}

// together returns the labels of which all pods of a template need a node with the same value.
func together(pod *corev1.Pod) []string {
	if pod.Spec.Affinity == nil || pod.Spec.Affinity.PodAffinity == nil {
		return nil
	}
	return matchingThemselves(pod, pod.Spec.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution)
}
