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
	// Peak says when and for how much the trace asks.
	Peak string
}

func (e *TooManyNodesError) Error() string {
	return fmt.Sprintf("nodes auto: the trace needs more than %s nodes of %s (%s): give a larger node shape, or the number of nodes",
		words.Number(MaxNodes), e.Shape, e.Peak)
}

// headroom is what auto adds to the nodes that the peak fills: a tenth, and one at least. A rollout runs old and
// new pods side by side (a quarter more, by default, of one Deployment at a time), and the scheduler spreads pods
// over nodes instead of packing them.
func headroom(nodes int) int {
	return (nodes + 9) / 10
}

// autoSize finds the number of nodes of a shape for a trace's peak and tells about it in one line.
func autoSize(demand *Demand, shape Shape) (count int, summary string, err error) {
	pack := newPacker(demand, shape)
	var peak *moment
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
		demand.describe(peak), pack.decisive(peak, count), extra)
	return count + extra, summary, nil
}

// describe says how much is asked for at a moment: "peak at 14:05 UTC: 312 pods, 402 cores, 1.2 TiB".
func (d *Demand) describe(now *moment) string {
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

// clock writes a time of the trace, with the day where the trace has several.
func (d *Demand) clock(at time.Time) string {
	if d.End.Sub(d.Start) <= 24*time.Hour {
		return at.Format("15:04 UTC")
	}
	return at.Format("2006-01-02 15:04 UTC")
}

// decisive says why the number of nodes at a moment is what it is: one resource, or pods that do not fit together.
func (p *packer) decisive(now *moment, count int) string {
	daemons := amounts{}
	for index, live := range now.live {
		if p.demand.templates[index].perNode && p.runnable(index) {
			for name, amount := range p.demand.templates[index].requests {
				daemons[name] += amount * int64(live)
			}
		}
	}
	var most float64
	var which corev1.ResourceName
	for _, name := range sortedResources(now.total) {
		if p.size[name] == 0 {
			continue
		}
		if fill := float64(now.total[name]+daemons[name]*int64(count)) / float64(p.size[name]); fill > most {
			most, which = fill, name
		}
	}
	// With more than a fifth of everything left over, and more than one node, it is not the sum that decides.
	if most < 0.8*float64(count-1) {
		return "the fit of single pods decides"
	}
	return string(which) + " decides"
}
