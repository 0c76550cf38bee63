package nodes

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"simkube.io/simkube/internal/words"
)

// constraint is one requirement that a pod has of a node regardless of its free capacity.
type constraint struct {
	// short names the constraint in a list: "nodeSelector disktype=ssd".
	short string
	// size is whether it is about the size of the node.
	size bool
	ok   func(*class) bool
	// none returns a clause that says that no node of the set satisfies the constraint. Its subject is
	// the pod.
	none func(*nodeSet) string
}

// constraints returns the constraints of a template, in the order in which the scheduler checks
// them.
func constraints(template *podTemplate) []constraint {
	spec := &template.pod.Spec
	var out []constraint
	if name := spec.NodeName; name != "" {
		out = append(out, constraint{
			short: "nodeName " + name,
			ok:    func(c *class) bool { return c.node.Name == name },
			none: func(s *nodeSet) string {
				return fmt.Sprintf("is pinned to the node %s by nodeName, which is not among %s", name, s.all())
			},
		})
	}
	for _, key := range slices.Sorted(maps.Keys(spec.NodeSelector)) {
		out = append(out, selectorConstraint(key, spec.NodeSelector[key]))
	}
	if spec.Affinity != nil && spec.Affinity.NodeAffinity != nil {
		out = append(out, nodeAffinityConstraint(spec.Affinity.NodeAffinity))
	}
	out = append(out, taintConstraint(spec.Tolerations))
	for _, name := range sortedResources(template.requests) {
		out = append(out, sizeConstraint(name, template.requests[name]))
	}
	if spec.Affinity != nil && spec.Affinity.PodAffinity != nil {
		for _, term := range spec.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
			out = append(out, labelConstraint(term.TopologyKey, "pod affinity by"))
		}
	}
	for _, spread := range spec.TopologySpreadConstraints {
		out = append(out, labelConstraint(spread.TopologyKey, "topology spread over"))
	}
	return out
}

func selectorConstraint(key, value string) constraint {
	short := fmt.Sprintf("nodeSelector %s=%s", key, value)
	return constraint{
		short: short,
		ok: func(c *class) bool {
			have, ok := c.node.Labels[key]
			return ok && have == value
		},
		none: func(s *nodeSet) string {
			return fmt.Sprintf("needs %s, %s (%s)", short, s.noneHas(), s.values(key))
		},
	}
}

func nodeAffinityConstraint(affinity *corev1.NodeAffinity) constraint {
	required := affinity.RequiredDuringSchedulingIgnoredDuringExecution
	matcher := nodeaffinity.GetRequiredNodeAffinity(&corev1.Pod{
		Spec: corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: affinity}},
	})
	short := "node affinity to " + formatTerms(required.NodeSelectorTerms)
	return constraint{
		short: short,
		ok: func(c *class) bool {
			// A malformed term matches nothing, as in the scheduler.
			matches, _ := matcher.Match(c.node)
			return matches
		},
		none: func(s *nodeSet) string {
			text := fmt.Sprintf("needs %s, %s", short, s.noneHas())
			if keys := affinityKeys(required); len(keys) == 1 {
				text += fmt.Sprintf(" (%s)", s.values(keys[0]))
			}
			return text
		},
	}
}

func formatTerms(terms []corev1.NodeSelectorTerm) string {
	var alternatives []string
	for _, term := range terms {
		var all []string
		for _, requirement := range slices.Concat(term.MatchExpressions, term.MatchFields) {
			text := requirement.Key
			switch requirement.Operator {
			case corev1.NodeSelectorOpExists:
			case corev1.NodeSelectorOpDoesNotExist:
				text = "not " + text
			case corev1.NodeSelectorOpIn:
				text += " in (" + strings.Join(requirement.Values, ", ") + ")"
			case corev1.NodeSelectorOpNotIn:
				text += " not in (" + strings.Join(requirement.Values, ", ") + ")"
			case corev1.NodeSelectorOpGt:
				text += " > " + strings.Join(requirement.Values, ", ")
			case corev1.NodeSelectorOpLt:
				text += " < " + strings.Join(requirement.Values, ", ")
			default:
				text += fmt.Sprintf(" %s (%s)", requirement.Operator, strings.Join(requirement.Values, ", "))
			}
			all = append(all, text)
		}
		if len(all) == 0 {
			all = []string{"nothing (an empty term matches no node)"}
		}
		alternatives = append(alternatives, strings.Join(all, " and "))
	}
	return strings.Join(alternatives, " or ")
}

func affinityKeys(selector *corev1.NodeSelector) []string {
	seen := map[string]bool{}
	for _, term := range selector.NodeSelectorTerms {
		for _, requirement := range term.MatchExpressions {
			seen[requirement.Key] = true
		}
		for range term.MatchFields {
			seen[metadataName] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// metadataName is the only node field that an affinity can select.
const metadataName = "metadata.name"

func taintConstraint(tolerations []corev1.Toleration) constraint {
	return constraint{
		short: "tolerated taints",
		ok: func(c *class) bool {
			_, found := untolerated(c.node, tolerations)
			return !found
		},
		none: func(s *nodeSet) string {
			counts := map[string]int{}
			for _, c := range s.classes {
				taint, _ := untolerated(c.node, tolerations)
				counts[taint.ToString()] += len(c.names)
			}
			taints := slices.Sorted(maps.Keys(counts))
			if len(taints) == 1 {
				return fmt.Sprintf("does not tolerate the taint %s of %s", taints[0], s.all())
			}
			for i, taint := range taints {
				taints[i] = fmt.Sprintf("%s (%s)", taint, words.Count(counts[taint], "node"))
			}
			return fmt.Sprintf("tolerates none of %s: their taints are %s", s.all(), strings.Join(taints, ", "))
		},
	}
}

// untolerated returns the first taint of a node that a pod with these tolerations does not
// tolerate.
func untolerated(node *corev1.Node, tolerations []corev1.Toleration) (corev1.Taint, bool) {
	for _, taint := range node.Spec.Taints {
		if taint.Effect == corev1.TaintEffectPreferNoSchedule {
			continue
		}
		tolerated := slices.ContainsFunc(tolerations, func(toleration corev1.Toleration) bool {
			return toleration.ToleratesTaint(klog.Background(), &taint, true)
		})
		if !tolerated {
			return taint, true
		}
	}
	return corev1.Taint{}, false
}

func sizeConstraint(name corev1.ResourceName, amount int64) constraint {
	text := formatAmount(name, amount)
	return constraint{
		short: text,
		size:  true,
		ok:    func(c *class) bool { return c.size[name] >= amount },
		none: func(s *nodeSet) string {
			largest := s.largest(name)
			switch {
			case largest == 0 && s.total == 1:
				return fmt.Sprintf("requests %s, and the node has no %s", text, name)
			case largest == 0:
				return fmt.Sprintf("requests %s, and none of %s has any %s", text, s.all(), name)
			case s.total == 1:
				return fmt.Sprintf("requests %s, and the node has %s", text, formatAmount(name, largest))
			}
			return fmt.Sprintf("requests %s, and the largest of %s has %s", text, s.all(), formatAmount(name, largest))
		},
	}
}

// labelConstraint returns the constraint of a rule that excludes nodes without a label.
func labelConstraint(key, rule string) constraint {
	return constraint{
		short: "the label " + key,
		ok: func(c *class) bool {
			_, ok := c.node.Labels[key]
			return ok
		},
		none: func(s *nodeSet) string {
			return fmt.Sprintf("has a required %s %s, and no node has that label", rule, key)
		},
	}
}
