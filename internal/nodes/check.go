package nodes

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"simkube.io/simkube/internal/words"
)

// Check returns a finding for the pods of a demand that none of the nodes can ever run, those with
// the most pods first. It considers only what does not change during a simulation: labels, taints,
// sizes, and whether there are enough nodes for pods that exclude each other. It does not consider
// the free capacity, volumes, or preferences.
//
// A DaemonSet is among the findings only if no node can run its pods.
func Check(nodes []*corev1.Node, demand *Demand) []Finding {
	if demand == nil {
		return nil
	}
	set := newNodeSet(nodes)
	var byName *nodeSet
	var findings []Finding
	for i, template := range demand.templates {
		owners := demand.owners[i]
		if owners.pods() == 0 {
			continue
		}
		candidates := set
		if selectsByName(template) {
			if byName == nil {
				byName = set.byName()
			}
			candidates = byName
		}
		feasible, reason := assess(candidates, template)
		if len(feasible) == 0 {
			findings = append(findings, Finding{Owners: owners, Pods: owners.pods(), Reason: reason})
			continue
		}
		findings = append(findings, exclusiveFindings(feasible, template, owners)...)
	}
	return sortFindings(findings)
}

// assess returns the classes that can run a pod, or the reason if none can.
func assess(set *nodeSet, template *podTemplate) (feasible []*class, reason string) {
	asked := constraints(template)
	satisfied := make([]int, len(asked)) // nodes, by constraint
	for _, c := range set.classes {
		all := true
		for i := range asked {
			if asked[i].ok(c) {
				satisfied[i] += len(c.names)
			} else {
				all = false
			}
		}
		if all {
			feasible = append(feasible, c)
		}
	}
	if len(feasible) > 0 {
		return feasible, ""
	}
	var reasons, partial []string
	for i := range asked {
		switch satisfied[i] {
		case 0:
			reasons = append(reasons, asked[i].none(set))
		case set.total:
		default:
			partial = append(partial, fmt.Sprintf("%s (%d of %d)", asked[i].short, satisfied[i], set.total))
		}
	}
	if len(reasons) > 0 {
		return nil, strings.Join(reasons, "; and it ")
	}
	return nil, "no single node satisfies all of its requirements: " + strings.Join(partial, ", ")
}

// selectsByName reports whether a pod distinguishes nodes that are otherwise alike.
func selectsByName(template *podTemplate) bool {
	spec := &template.pod.Spec
	if _, ok := spec.NodeSelector[corev1.LabelHostname]; ok || spec.NodeName != "" {
		return true
	}
	if spec.Affinity == nil || spec.Affinity.NodeAffinity == nil {
		return false
	}
	for _, key := range affinityKeys(spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution) {
		if key == corev1.LabelHostname || key == metadataName {
			return true
		}
	}
	return false
}

// exclusiveFindings returns the pods that exceed the number of topology domains, because pods of
// one template exclude each other within a domain.
func exclusiveFindings(feasible []*class, template *podTemplate, owners []Owner) []Finding {
	if template.perNode {
		return nil
	}
	findings := portFindings(feasible, template, owners)
	for _, key := range selfExclusive(template.pod) {
		places, every := places(feasible, key)
		if !every {
			continue
		}
		for _, owner := range owners {
			if owner.Pods > places {
				findings = append(findings, Finding{
					Owners: []Owner{owner},
					Pods:   owner.Pods - places,
					Reason: fmt.Sprintf("has anti-affinity to its own pods by %s: %d pods need a place each, and there are only %s",
						key, owner.Pods, words.Count(places, "place")),
				})
			}
		}
	}
	return findings
}

// selfExclusive returns the topology keys of the required anti-affinity that pods of a template
// have to each other.
func selfExclusive(pod *corev1.Pod) []string {
	if pod.Spec.Affinity == nil || pod.Spec.Affinity.PodAntiAffinity == nil {
		return nil
	}
	return matchingThemselves(pod, pod.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution)
}

// matchingThemselves returns the topology keys of the terms that select the pods that have them.
func matchingThemselves(pod *corev1.Pod, terms []corev1.PodAffinityTerm) []string {
	var keys []string
	for _, term := range terms {
		if len(term.Namespaces) > 0 || term.NamespaceSelector != nil || term.LabelSelector == nil {
			continue // the template alone does not determine whether its own pods match
		}
		selector, err := metav1.LabelSelectorAsSelector(term.LabelSelector)
		if err == nil && len(term.MatchLabelKeys) == 0 && len(term.MismatchLabelKeys) == 0 &&
			selector.Matches(labels.Set(pod.Labels)) {
			keys = append(keys, term.TopologyKey)
		}
	}
	return keys
}

// places returns the number of values of a topology key among nodes, and whether all of them have
// the label. A node without it does not take part in the anti-affinity.
func places(classes []*class, key string) (count int, every bool) {
	if key == corev1.LabelHostname {
		for _, c := range classes {
			count += len(c.names)
		}
		return count, true
	}
	values := map[string]bool{}
	for _, c := range classes {
		value, ok := c.node.Labels[key]
		if !ok {
			return 0, false
		}
		values[value] = true
	}
	return len(values), true
}
