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

// sized is a pool with the number of its nodes.
type sized struct {
	*pool
	count int
	// why is the reason for the number.
	why string
}

// planAuto sets the nodes that the pods of a trace need, and says which and why.
func (p *Plan) planAuto(demand *Demand, shape Shape) error {
	fixed, notes := demand.recorded(shape)
	p.Given = append(p.Given, notes...)
	pools := demand.pools(shape, fixed)
	used := map[string]bool{}
	var all []sized
	total := 0
	for i, pool := range pools {
		one, err := demand.size(pool)
		if err != nil {
			return err
		}
		if i == 0 && one.count == 0 && len(pools) == 1 {
			one = sized{pool, 1, "the trace has no pods that such nodes can run"}
		}
		if one.count == 0 {
			continue
		}
		if total += one.count; total > MaxNodes {
			return &TooManyNodesError{Shape: pool.shape, Peak: one.why}
		}
		used[pool.name] = true
		for _, node := range pool.fixed {
			used[node.Name] = true
		}
		all = append(all, one)
	}
	next := newNames(used)
	for _, one := range all {
		// If there are no other nodes, there are none to prefer.
		one.kept = one.kept && !all[0].kept
		p.Nodes = append(p.Nodes, one.build(one.count, next)...)
	}
	p.describeAuto(demand, all)
	return nil
}

// size returns the number of nodes of a pool for the peak of its pods.
func (d *Demand) size(pool *pool) (sized, error) {
	switch {
	case pool.fixed != nil:
		return sized{pool, len(pool.fixed), ""}, nil
	case pool.name != "":
		return sized{pool, 1, ""}, nil
	}
	pack := newPacker(d, pool)
	var peak *snapshot
	count := 0
	for _, now := range d.peaks(pack.runnable, pack.size) {
		needed, ok := pack.pack(&now)
		if !ok {
			return sized{}, &TooManyNodesError{Shape: pool.shape, Peak: d.describe(&now)}
		}
		if peak == nil || needed > count {
			count, peak = needed, &now
		}
	}
	if count == 0 {
		// Nothing but DaemonSets.
		if len(pool.members) == 0 {
			return sized{pool: pool}, nil
		}
		return sized{pool, 1, ""}, nil
	}
	extra := min(headroom(count), MaxNodes-count)
	why := fmt.Sprintf("%s; %s; +%d for rollouts", d.describe(peak), pack.limit(peak, count), extra)
	return sized{pool, count + extra, why}, nil
}

// describeAuto sets the summary, and the notes about the nodes that only some pods need.
func (p *Plan) describeAuto(demand *Demand, all []sized) {
	if len(all) == 1 && all[0].fixed == nil {
		p.Summary = fmt.Sprintf("auto: %s of %s%s", words.Count(all[0].count, "node"), all[0].describe(), all[0].reason())
		return
	}
	p.Summary = fmt.Sprintf("auto: %s", words.Count(len(p.Nodes), "node"))
	rest := all
	if !all[0].kept && all[0].fixed == nil {
		p.Summary += fmt.Sprintf(": %d of %s%s", all[0].count, all[0].describe(), all[0].reason())
		rest = all[1:]
	}
	var named []string
	var forPods []Owner
	for _, one := range rest {
		if one.fixed != nil {
			p.Given = append(p.Given, fmt.Sprintf("%s of the trace: %s", words.Count(one.count, "node"), capacity(one.fixed)))
			continue
		}
		owners := demand.ownersOf(one.members)
		if one.name != "" {
			named, forPods = append(named, one.name), append(forPods, owners...)
			continue
		}
		p.Given = append(p.Given, fmt.Sprintf("%s of %s for the pods of %s%s",
			words.Count(one.count, "node"), one.describe(), ownerNames(owners), one.reason()))
	}
	if len(named) > 0 {
		p.Given = append(p.Given, fmt.Sprintf("%s named %s for the pods of %s, which select nodes by name",
			words.Count(len(named), "node"), words.First(3, named...), ownerNames(mergeOwners(forPods))))
	}
}

func (s *sized) reason() string {
	if s.why == "" {
		return ""
	}
	return " (" + s.why + ")"
}

// ownersOf returns the owners of templates.
func (d *Demand) ownersOf(templates []int) []Owner {
	var owners []Owner
	for _, index := range templates {
		owners = append(owners, d.owners[index]...)
	}
	return mergeOwners(owners)
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
	if driver, ok := strings.CutPrefix(string(limiting), volumePrefix); ok {
		return "limited by the volumes of " + driver + " that a node takes"
	}
	return "limited by " + string(limiting)
}
