package nodes

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"simkube.io/simkube/internal/words"
)

// Check judges every pod of a demand against the nodes and returns those that none of them can ever run, the
// largest number of pods first. Only what lasts is judged: labels, taints and sizes, with the selector type=virtual
// and the toleration of kwok-provider that every simulated pod gets. What is free at a time, volumes, host ports
// (which a simulation takes away) and preferences are not.
//
// DaemonSets are among the findings when no node at all can run their pods.
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
		if asksByName(template) {
			if byName == nil {
				byName = set.byName()
			}
			candidates = byName
		}
		feasible, reason := judge(candidates, template)
		if len(feasible) == 0 {
			findings = append(findings, Finding{Owners: owners, Pods: owners.pods(), Reason: reason})
			continue
		}
		findings = append(findings, crowded(feasible, template, owners)...)
	}
	return sortFindings(findings)
}

// judge gives the classes that can run a pod, or else the reason why there are none.
func judge(set *nodeSet, template *podTemplate) (feasible []*class, reason string) {
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
	return nil, "needs things that no single node has together: " + strings.Join(partial, ", ")
}

// asksByName tells whether a pod tells nodes of one class apart.
func asksByName(template *podTemplate) bool {
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

// crowded finds the pods that are too many of their own kind, because they exclude each other within a topology
// and it has fewer places than there are pods.
func crowded(feasible []*class, template *podTemplate, owners []Owner) []Finding {
	if template.perNode {
		return nil
	}
	var findings []Finding
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
					Reason: fmt.Sprintf("excludes others of its kind by %s: there are %d, and only %s for them",
						key, owner.Pods, words.Count(places, "place")),
				})
			}
		}
	}
	return findings
}

// selfExclusive lists the topology keys by which pods of a template must be apart from each other.
func selfExclusive(pod *corev1.Pod) []string {
	if pod.Spec.Affinity == nil || pod.Spec.Affinity.PodAntiAffinity == nil {
		return nil
	}
	var keys []string
	for _, term := range pod.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
		if len(term.Namespaces) > 0 || term.NamespaceSelector != nil || term.LabelSelector == nil {
			continue // whether these are its own pods is not for the template to say
		}
		selector, err := metav1.LabelSelectorAsSelector(term.LabelSelector)
		if err == nil && len(term.MatchLabelKeys) == 0 && len(term.MismatchLabelKeys) == 0 &&
			selector.Matches(labels.Set(pod.Labels)) {
			keys = append(keys, term.TopologyKey)
		}
	}
	return keys
}

// places counts the values of a topology key among nodes; every tells whether all of them have one. A node without
// excludes nobody.
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
