package results

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// NodeLifetimes is how long nodes existed that were removed, from their creation, in seconds of the
// trace.
type NodeLifetimes struct {
	Distribution
	Min float64 `json:"min"`
}

// lifetimesOf returns the lifetimes of removed nodes, or nil if there are none.
func lifetimesOf(nodes []nodeRecord, w window) *NodeLifetimes {
	var all []float64
	for i := range nodes {
		if n := &nodes[i]; n.deleted != 0 {
			all = append(all, w.trace(n.deleted).Sub(w.trace(n.created)).Seconds())
		}
	}
	if len(all) == 0 {
		return nil
	}
	return &NodeLifetimes{Distribution: distributionOf(all), Min: round(slices.Min(all))}
}

// tookOff reports whether a reason of the condition DisruptionTarget says that a pod was taken off
// its node: by the eviction API, which drains nodes, by a taint of its node, or because its node is
// gone. The names are those of Kubernetes 1.36; of other reasons, preemption makes room for pods,
// and a kubelet ends pods for what they use.
func tookOff(reason string) bool {
	switch reason {
	case "EvictionByEvictionAPI", "DeletionByTaintManager", "DeletionByPodGC":
		return true
	}
	return false
}

// ended returns when the pod ended or its deletion was requested, and zero if it was neither. A pod
// that finished before by itself has not ended here: nobody had to end it.
func (p *podRecord) ended() instant {
	if p.finished != 0 && (p.ending == 0 || p.finished < p.ending) {
		if p.phase == corev1.PodFailed && tookOff(p.disruption) {
			return p.finished
		}
		return 0
	}
	if p.ending != 0 {
		return p.ending
	}
	return p.deleted
}

// lostNode reports whether the pod ended because its node was drained or removed, see
// docs/results.md.
func (p *podRecord) lostNode(nodes nodesByName) bool {
	ended := p.ended()
	if p.scheduled == 0 || ended == 0 {
		return false
	}
	if tookOff(p.disruption) {
		return true
	}
	n := nodes.of(p)
	if n == nil {
		return false
	}
	left := n.leaving
	if left == 0 {
		left = n.deleted
	}
	return left != 0 && left <= ended
}

// nodesByName has the records of the nodes with a name, ordered by creation.
type nodesByName map[string][]*nodeRecord

// newNodesByName returns an index of nodes, which must be ordered by name and creation.
func newNodesByName(nodes []nodeRecord) nodesByName {
	index := make(nodesByName, len(nodes))
	for i := range nodes {
		index[nodes[i].name] = append(index[nodes[i].name], &nodes[i])
	}
	return index
}

// of returns the node that a pod was put on: the last one with its name then. It is nil if no node
// had the name.
func (x nodesByName) of(p *podRecord) *nodeRecord {
	named := x[p.node]
	for i := len(named) - 1; i > 0; i-- {
		if named[i].created <= p.scheduled {
			return named[i]
		}
	}
	if len(named) == 0 {
		return nil
	}
	return named[0]
}

// markWithNode marks the pods of DaemonSets that ended with their node, and returns how many other
// pods moved: they lost their node, and their owner made another pod in their place. A pod takes
// the place of one other.
func markWithNode(pods []podRecord, nodes []nodeRecord) (moved int) {
	index := newNodesByName(nodes)
	lost := map[*Owner][]instant{}
	for i := range pods {
		switch p := &pods[i]; {
		case !p.lostNode(index):
		case p.owner.Kind == kindDaemonSet:
			p.withNode = true
		default:
			lost[p.owner] = append(lost[p.owner], p.ended())
		}
	}
	if len(lost) == 0 {
		return 0
	}
	for _, times := range lost {
		slices.Sort(times)
	}
	// Pods are ordered by creation.
	for i := range pods {
		owner := pods[i].owner
		if times := lost[owner]; len(times) > 0 && times[0] <= pods[i].created {
			lost[owner] = times[1:]
			moved++
		}
	}
	return moved
}
