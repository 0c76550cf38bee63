package results

import (
	"slices"
	"time"
)

// lackTime is how long an autoscaler does not count on instances that could not be launched, in
// trace time. What it says of a pod then does not mention them.
const lackTime = 3 * time.Minute

// noNodes finds why an autoscaler has no node for pods.
type noNodes struct {
	w window
	// last is what was last said of a pod, by its namespace and name. It has the pods that never got
	// a node, and no others.
	last map[string]*noNodeReason
	// lacking is when no instance could be launched for a pool because the cloud had none.
	lacking map[string]time.Time
}

// noNodeReason is why a pod has no node.
type noNodeReason struct {
	message string // the autoscaler's
	// lacking are the pools without capacity when that was said, and meant those of them with a node
	// that was meant for the pod.
	lacking, meant []string
}

// explainUnplaced sets why the autoscaler has found no node for the pods that never got one: its
// last reason for each of them, unless it launched a node for the pod after that.
func (r *Recorder) explainUnplaced(pods []podRecord, w window) {
	if len(r.decisions) == 0 {
		return
	}
	n := noNodes{w, map[string]*noNodeReason{}, map[string]time.Time{}}
	for i := range pods {
		if p := &pods[i]; p.scheduled == 0 {
			n.last[p.namespace+"/"+p.name] = &noNodeReason{}
		}
	}
	if len(n.last) == 0 {
		return
	}
	for i := range r.decisions {
		if d := &r.decisions[i]; instantOf(d.Time) <= w.end {
			n.decided(d, r.meant)
		}
	}
	for i := range pods {
		if p := &pods[i]; p.scheduled == 0 {
			p.noNode = n.last[p.namespace+"/"+p.name].short()
		}
	}
}

// decided takes a decision into account. meant are the pods that nodes are for, by node.
func (n *noNodes) decided(d *Decision, meant map[string][]string) {
	switch d.Kind {
	case NoNode:
		for _, pod := range d.Pods {
			if why := n.last[pod]; why != nil {
				why.message, why.lacking = d.Message, n.lackingAt(d.Time)
			}
		}
	case NoCapacity:
		n.lacking[d.NodePool] = d.Time
		n.each(d.Nodes, meant, func(why *noNodeReason) {
			if !slices.Contains(why.meant, d.NodePool) {
				why.meant = append(why.meant, d.NodePool)
			}
		})
	case Launched:
		n.each(d.Nodes, meant, func(why *noNodeReason) { *why = noNodeReason{} })
	}
}

// each calls f for the pods that nodes are for, and that never got one.
func (n *noNodes) each(nodes []string, meant map[string][]string, f func(*noNodeReason)) {
	for _, node := range nodes {
		for _, pod := range meant[node] {
			if why := n.last[pod]; why != nil {
				f(why)
			}
		}
	}
}

func (n *noNodes) lackingAt(t time.Time) []string {
	var out []string
	for pool, since := range n.lacking {
		if n.w.times.Trace(t).Sub(n.w.times.Trace(since)) <= lackTime {
			out = append(out, pool)
		}
	}
	slices.Sort(out)
	return out
}
