package results

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// nodeRecord is the record of a node. A node that is created again with the same name has a record
// of its own.
type nodeRecord struct {
	uid, name, instanceType, zone string
	created, ready, deleted       instant
	// leaving is when the deletion of the node was first seen, before its pods were evicted.
	leaving            instant
	capacityType, pool string
	// price is in US dollars per hour; launched is when it begins to count.
	price    float64
	launched instant
	// states are what the scheduler could use of the node from a time on, one entry per change.
	states []nodeState
}

type nodeState struct {
	at          instant
	ready       bool
	allocatable amounts
}

func (r *Recorder) newNode(uid string, node *corev1.Node) *nodeRecord {
	return &nodeRecord{
		uid:          uid,
		name:         strings.Clone(node.Name),
		instanceType: r.strings.get(node.Labels[corev1.LabelInstanceTypeStable]),
		zone:         r.strings.get(node.Labels[corev1.LabelTopologyZone]),
		price:        priceOf(node),
	}
}

func (r *Recorder) updateNode(n *nodeRecord, node *corev1.Node, at stamp) {
	if n.created == 0 {
		n.created = at(node.CreationTimestamp.Time)
	}
	if n.launched == 0 {
		launched, err := time.Parse(time.RFC3339Nano, node.Annotations[simkubev1.AnnotationLaunched])
		if n.launched = n.created; err == nil {
			n.launched = min(n.created, instantOf(launched))
		}
	}
	if n.leaving == 0 && node.DeletionTimestamp != nil {
		n.leaving = max(n.created, at(node.DeletionTimestamp.Time))
	}
	// Karpenter sets these when the node registers.
	n.capacityType = r.strings.get(node.Labels[labelCapacityType])
	n.pool = r.strings.get(node.Labels[labelNodePool])
	state := nodeState{allocatable: r.resources.allocatableOf(node)}
	var since corev1.NodeCondition
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			state.ready, since = c.Status == corev1.ConditionTrue, c
		}
	}
	state.at = max(n.created, at(since.LastTransitionTime.Time))
	if state.ready && n.ready == 0 {
		n.ready = state.at
	}
	if len(n.states) > 0 {
		last := n.states[len(n.states)-1]
		if last.ready == state.ready && slices.Equal(last.allocatable, state.allocatable) {
			return
		}
		state.at = max(state.at, last.at)
	}
	n.states = append(n.states, state)
}

func (n *nodeRecord) setDeleted(at instant) {
	n.deleted = max(n.created, at)
	if len(n.states) > 0 {
		n.deleted = max(n.deleted, n.states[len(n.states)-1].at)
	}
}

func (n *nodeRecord) last() nodeState {
	if len(n.states) == 0 {
		return nodeState{}
	}
	return n.states[len(n.states)-1]
}
