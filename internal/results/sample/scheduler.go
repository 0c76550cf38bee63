package sample

import (
	"container/heap"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// schedule puts a pod on the emptiest node that fits, or has it wait with a message like the real
// one.
func (c *cluster) schedule(p *pod) bool {
	if p.gone || p.node != nil {
		return true
	}
	var best *node
	refused := map[string]int{}
	for _, n := range c.nodes {
		if why := n.refuses(p.spec); why != "" {
			refused[why]++
			continue
		}
		if best == nil || n.usedCPU*best.cpu < best.usedCPU*n.cpu {
			best = n
		}
	}
	if best == nil {
		c.wait(p, refused)
		return false
	}
	p.node = best
	best.take(p.spec, 1)
	p.object.Spec.NodeName = best.object.Name
	p.object.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}
	c.rec.PodChanged(c.now, p.object)
	c.after(c.latency(1800*time.Millisecond), func() { c.run(p) })
	return true
}

func (n *node) refuses(spec podSpec) string {
	switch {
	case n.taint != spec.toleration:
		if n.taint != "" {
			return "node(s) had untolerated taint(s)"
		}
		return "node(s) didn't match Pod's node affinity/selector"
	case n.gpus-n.usedGPU < spec.gpus:
		return "Insufficient nvidia.com/gpu"
	case n.cpu-n.usedCPU < spec.cpu:
		return "Insufficient cpu"
	case n.memory-n.usedMem < spec.memory:
		return "Insufficient memory"
	case n.running >= n.pods:
		return "Too many pods"
	}
	return ""
}

func (n *node) take(spec podSpec, sign int64) {
	n.usedCPU += sign * spec.cpu
	n.usedMem += sign * spec.memory
	n.usedGPU += sign * spec.gpus
	n.running += sign
}

func (c *cluster) wait(p *pod, refused map[string]int) {
	var reasons []string
	for why, nodes := range refused {
		reasons = append(reasons, fmt.Sprintf("%d %s", nodes, why))
	}
	slices.Sort(reasons)
	p.object.Status.Conditions = []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
		Message: fmt.Sprintf("0/%[1]d nodes are available: %[2]s. preemption: 0/%[1]d nodes are available: "+
			"%[1]d No preemption victims found for incoming pod.", len(c.nodes), strings.Join(reasons, ", ")),
	}}
	c.rec.PodChanged(c.now, p.object)
	if p.tries == 0 {
		c.waiting = append(c.waiting, p)
	}
	p.tries++
}

// retry schedules waiting pods again, as the scheduler does when resources are freed.
func (c *cluster) retry() {
	c.waiting = slices.DeleteFunc(c.waiting, func(p *pod) bool { return c.schedule(p) })
}

func (c *cluster) run(p *pod) {
	if p.gone {
		return
	}
	p.object.Status.Phase = corev1.PodRunning
	c.rec.PodChanged(c.now, p.object)
	if p.spec.runs > 0 {
		c.after(p.spec.runs, func() { c.finish(p) })
	}
}

func (c *cluster) finish(p *pod) {
	if p.gone {
		return
	}
	p.object.Status.Phase = corev1.PodSucceeded
	if p.spec.fails {
		p.object.Status.Phase = corev1.PodFailed
	}
	p.node.take(p.spec, -1)
	p.node = &node{} // finished pods hold nothing, and aren't scheduled again
	c.rec.PodChanged(c.now, p.object)
	c.retry()
	c.after(30*time.Minute, func() { c.remove(p) })
}

func (c *cluster) remove(p *pod) {
	if p.gone {
		return
	}
	p.gone = true
	if p.node != nil {
		p.node.take(p.spec, -1)
	}
	c.rec.PodDeleted(c.now, p.object)
	c.waiting = slices.DeleteFunc(c.waiting, func(w *pod) bool { return w == p })
	c.retry()
}

// queue holds future actions, ordered by time.
type queue []item

type item struct {
	at    time.Time
	order int
	do    func()
}

var _ heap.Interface = (*queue)(nil)

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].order < q[j].order
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements [heap.Interface].
func (q *queue) Push(x any) { *q = append(*q, x.(item)) }

// Pop implements [heap.Interface].
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
