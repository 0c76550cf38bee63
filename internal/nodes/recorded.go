package nodes

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// recordedNode is a node of a trace, as it was last.
type recordedNode struct {
	node  *corev1.Node
	ready bool
	// sized is whether its size was recorded.
	sized bool
	// first is when it was first there, as a time of the trace.
	first int64
}

var nodeKind = schema.GroupVersionKind{Version: "v1", Kind: "Node"}

// addNode keeps a version of a node.
func (s *Survey) addNode(now int64, object *trace.Object) {
	name := object.Name()
	node, err := readNode(object)
	if err != nil {
		s.problem(trace.PodOwner{GVK: object.GVK(), Name: name}, err)
		return
	}
	known := recordedNode{ready: isReady(node), first: now}
	if before, ok := s.nodes[name]; ok {
		known.first = before.first
	}
	known.sized = len(node.Status.Allocatable) > 0 || len(node.Status.Capacity) > 0
	if !known.sized {
		node.Status.Capacity = corev1.ResourceList{}
	}
	known.node = additions{}.simulated(node)
	s.nodes[name] = known
}

func readNode(object *trace.Object) (*corev1.Node, error) {
	manifest, err := object.Unstructured()
	if err != nil {
		return nil, err
	}
	data, err := manifest.MarshalJSON()
	if err != nil {
		return nil, err
	}
	if err := checkNodeQuantities(data); err != nil {
		return nil, err
	}
	var node corev1.Node
	if err := json.Unmarshal(data, &node); err != nil {
		return nil, fmt.Errorf("decode Node: %w", err)
	}
	return &node, nil
}

// isReady reports whether a node was recorded as ready, or without its conditions and without the
// taints of a node that is not.
func isReady(node *corev1.Node) bool {
	for _, taint := range node.Spec.Taints {
		if taint.Key == corev1.TaintNodeNotReady || taint.Key == corev1.TaintNodeUnreachable {
			return false
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return true
}

// notReadyNote says which nodes are left out, or returns "".
func notReadyNote(where string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return fmt.Sprintf("%s: left out %s, not ready when recorded: %s", where, words.Count(len(names), "node"), words.First(3, names...))
}

// cordonedNote says which nodes are cordoned, or returns "".
func cordonedNote(where string, nodes []*corev1.Node) string {
	var names []string
	for _, node := range nodes {
		if node.Spec.Unschedulable {
			names = append(names, node.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return fmt.Sprintf("%s: %s cordoned when recorded, which run only pods of DaemonSets: %s",
		where, words.Count(len(names), "node"), words.First(3, names...))
}

// AtStart returns the demand without the nodes that were added after the first event: another
// autoscaler may have added them.
func (d *Demand) AtStart() *Demand {
	out := *d
	out.nodes = map[string]recordedNode{}
	for name, node := range d.nodes {
		if node.first == d.Start.Unix() {
			out.nodes[name] = node
		}
	}
	return &out
}

// unsized returns the names of the nodes whose size was not recorded.
func (d *Demand) unsized() map[string]bool {
	out := map[string]bool{}
	for name, node := range d.nodes {
		if node.ready && !node.sized {
			out[name] = true
		}
	}
	return out
}

// inTrace is where the nodes of a trace are, in notes.
const inTrace = "nodes of the trace"

// recorded returns the nodes of the trace that were ready, sorted by name, and notes about the
// others. Nodes without a size get that of the shape.
func (d *Demand) recorded(shape Shape) (nodes []*corev1.Node, notes []string) {
	var notReady []string
	for _, name := range slices.Sorted(maps.Keys(d.nodes)) {
		recorded := d.nodes[name]
		if !recorded.ready {
			notReady = append(notReady, name)
			continue
		}
		node := recorded.node.DeepCopy()
		if !recorded.sized {
			node.Status.Allocatable, node.Status.Capacity = shape.Resources.DeepCopy(), shape.Resources.DeepCopy()
		}
		nodes = append(nodes, node)
	}
	for _, note := range []string{notReadyNote(inTrace, notReady), cordonedNote(inTrace, nodes)} {
		if note != "" {
			notes = append(notes, note)
		}
	}
	return nodes, notes
}
