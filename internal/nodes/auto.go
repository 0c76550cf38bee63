package nodes

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/words"
)

// TooManyNodesError is returned by [Prepare] when auto would need more than MaxNodes.
type TooManyNodesError struct {
	Shape Shape
	// Peak describes when the trace requests the most, and how much.
	Peak string
}

func (e *TooManyNodesError) Error() string {
	return fmt.Sprintf("nodes auto: the trace needs more than %s nodes of %s (%s): use a larger node shape, or set the number of nodes",
		words.Number(MaxNodes), e.Shape, e.Peak)
}

// headroom returns how many nodes auto adds to those that the peak fills: a tenth, and at least
// one. A rollout runs old and new pods side by side (by default a quarter more, of one Deployment
// at a time), and the scheduler spreads pods over nodes instead of packing them.
func headroom(nodes int) int {
	return (nodes + 9) / 10
}

// autoSize returns the number of nodes of a shape that a trace's peak needs, and a summary of one
// line.
func autoSize(demand *Demand, shape Shape) (count int, summary string, err error) {
	pack := newPacker(demand, shape)
	var peak *snapshot
	for _, now := range demand.peaks(pack.runnable, pack.size) {
		needed, ok := pack.pack(&now)
		if !ok {
			return 0, "", &TooManyNodesError{Shape: shape, Peak: demand.describe(&now)}
		}
		if peak == nil || needed > count {
			count, peak = needed, &now
		}
	}
	if peak == nil {
		return 1, fmt.Sprintf("auto: 1 node of %s (the trace has no pods that such nodes can run)", shape), nil
	}
	extra := min(headroom(count), MaxNodes-count)
	summary = fmt.Sprintf("auto: %s of %s (%s; %s; +%d for rollouts)", words.Count(count+extra, "node"), shape,
		demand.describe(peak), pack.limit(peak, count), extra)
	return count + extra, summary, nil
}

// describe returns what a snapshot requests: "peak at 14:05 UTC: 312 pods, 402 cores, 1.2 TiB".
func (d *Demand) describe(now *snapshot) string {
	parts := []string{formatAmount(corev1.ResourcePods, now.total[corev1.ResourcePods])}
	for _, name := range sortedResources(now.total) {
		if name != corev1.ResourcePods && now.total[name] > 0 {
			parts = append(parts, formatAmount(name, now.total[name]))
		}
	}
	daemonSets := 0
	for index, live := range now.live {
		if d.templates[index].perNode {
			daemonSets += live
		}
	}
	text := fmt.Sprintf("peak at %s: %s", d.clock(now.time), strings.Join(parts, ", "))
	if daemonSets > 0 {
		text += fmt.Sprintf(", and %s on each node", words.Count(daemonSets, "DaemonSet"))
	}
	return text
}

// clock formats a time of the trace, with the date if the trace is longer than a day.
func (d *Demand) clock(at time.Time) string {
	if d.End.Sub(d.Start) <= 24*time.Hour {
		return at.Format("15:04 UTC")
	}
	return at.Format("2006-01-02 15:04 UTC")
}

// limit returns what limits the number of nodes for a snapshot: one resource, or pods that do not
// fit together on a node.
func (p *packer) limit(now *snapshot, count int) string {
	daemons := amounts{}
	for index, live := range now.live {
		if p.demand.templates[index].perNode && p.runnable(index) {
			for name, amount := range p.demand.templates[index].requests {
				daemons[name] += amount * int64(live)
			}
		}
	}
	var maxFill float64
	var limiting corev1.ResourceName
	for _, name := range sortedResources(now.total) {
		if p.size[name] == 0 {
			continue
		}
		if fill := float64(now.total[name]+daemons[name]*int64(count)) / float64(p.size[name]); fill > maxFill {
			maxFill, limiting = fill, name
		}
	}
	// If more than a fifth of every resource stays free on more than one node, the sum of the requests
	// is not what limits.
	if maxFill < 0.8*float64(count-1) {
		return "limited by how pods fit on nodes"
	}
	return "limited by " + string(limiting)
}
