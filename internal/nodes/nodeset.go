package nodes

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// class is a set of nodes that are alike to every pod that does not select a node by name.
type class struct {
	// node represents all of them. A cordoned node has the taint that Kubernetes adds to it.
	node  *corev1.Node
	size  amounts
	names []string
}

// nodeSet is a set of nodes grouped by class, in the order of the first node of each class.
type nodeSet struct {
	classes []*class
	total   int
}

func newNodeSet(nodes []*corev1.Node) *nodeSet {
	set := &nodeSet{total: len(nodes)}
	byKey := map[string]*class{}
	for _, node := range nodes {
		key := classKey(node)
		known := byKey[key]
		if known == nil {
			known = &class{node: withCordonTaint(node), size: amountsOf(node.Status.Allocatable)}
			byKey[key] = known
			set.classes = append(set.classes, known)
		}
		known.names = append(known.names, node.Name)
	}
	return set
}

// byName returns a set in which every node is a class of its own, for pods that select nodes by
// name.
func (s *nodeSet) byName() *nodeSet {
	out := &nodeSet{total: s.total}
	for _, c := range s.classes {
		for _, name := range c.names {
			node := c.node
			if len(c.names) > 1 {
				node = &corev1.Node{
					ObjectMeta: metav1.ObjectMeta{Name: name, Labels: maps.Clone(c.node.Labels)},
					Spec:       c.node.Spec,
					Status:     c.node.Status,
				}
				node.Labels[corev1.LabelHostname] = name
			}
			out.classes = append(out.classes, &class{node: node, size: c.size, names: []string{name}})
		}
	}
	return out
}

// classKey returns a string that is equal for nodes of one class. A hostname label that equals the
// node's name is ignored.
func classKey(node *corev1.Node) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(node.Labels)) {
		if key != corev1.LabelHostname || node.Labels[key] != node.Name {
			fmt.Fprintf(&b, "%q=%q ", key, node.Labels[key])
		}
	}
	taints := slices.Clone(node.Spec.Taints)
	slices.SortFunc(taints, compareTaints)
	for _, taint := range taints {
		fmt.Fprintf(&b, "%q=%q:%s ", taint.Key, taint.Value, taint.Effect)
	}
	fmt.Fprintf(&b, "%v ", node.Spec.Unschedulable)
	size := amountsOf(node.Status.Allocatable)
	for _, name := range sortedResources(size) {
		fmt.Fprintf(&b, "%q=%d ", name, size[name])
	}
	return b.String()
}

// withCordonTaint returns the node as the node lifecycle controller will change it.
func withCordonTaint(node *corev1.Node) *corev1.Node {
	if !node.Spec.Unschedulable {
		return node
	}
	node = node.DeepCopy()
	node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{
		Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule,
	})
	return node
}

// all returns the set as a noun phrase: "the node", "the 14 nodes".
func (s *nodeSet) all() string {
	if s.total == 1 {
		return "the node"
	}
	return fmt.Sprintf("the %d nodes", s.total)
}

// noneHas returns a relative clause: "which the node does not have", "which none of the 14 nodes
// has".
func (s *nodeSet) noneHas() string {
	if s.total == 1 {
		return "which the node does not have"
	}
	return fmt.Sprintf("which none of the %d nodes has", s.total)
}

// values describes the values of a label: "nodes have disktype=hdd, nvme", "no node has the label
// disktype".
func (s *nodeSet) values(key string) string {
	const shown = 5
	seen := map[string]bool{}
	for _, c := range s.classes {
		if value, ok := c.node.Labels[key]; ok {
			seen[value] = true
		}
	}
	values := slices.Sorted(maps.Keys(seen))
	switch {
	case len(values) == 0:
		return "no node has the label " + key
	case len(values) > shown:
		return fmt.Sprintf("nodes have %s=%s and %d other values", key, strings.Join(values[:shown], ", "), len(values)-shown)
	}
	return fmt.Sprintf("nodes have %s=%s", key, strings.Join(values, ", "))
}

// largest returns the maximum that any node has of a resource.
func (s *nodeSet) largest(name corev1.ResourceName) int64 {
	var maxSize int64
	for _, c := range s.classes {
		maxSize = max(maxSize, c.size[name])
	}
	return maxSize
}

// sum returns what all nodes together have of a resource.
func (s *nodeSet) sum(name corev1.ResourceName) int64 {
	var sum int64
	for _, c := range s.classes {
		sum += c.size[name] * int64(len(c.names))
	}
	return sum
}
