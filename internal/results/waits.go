package results

import (
	"cmp"
	"slices"
	"strings"
)

// byOwner groups pods by their owners: how they ended, and how long they waited.
func (r *Recorder) byOwner(pods []podRecord, end instant) ([]OwnerCounts, []OwnerWaits) {
	bare := map[string]int{} // by namespace
	for i := range pods {
		if o := pods[i].owner; o.Kind == "Pod" {
			bare[o.Namespace]++
		}
	}
	counts := map[Owner]*OwnerCounts{}
	waits := map[Owner][]float64{}
	for i := range pods {
		p := &pods[i]
		owner := *p.owner
		if owner.Kind == "Pod" && bare[owner.Namespace] > maxBarePods {
			owner.Name = "*"
		}
		c, ok := counts[owner]
		if !ok {
			c = &OwnerCounts{Owner: owner}
			counts[owner] = c
		}
		c.Pods++
		if p.failed() {
			c.Failed++
		} else if p.succeeded() {
			c.Succeeded++
		}
		if p.scheduled == 0 {
			c.NeverScheduled++
		}
		c.CPUMillis = max(c.CPUMillis, p.requests.at(numberCPU))
		c.MemoryBytes = max(c.MemoryBytes, p.requests.at(numberMemory))
		c.Resources = r.resources.raise(c.Resources, p.requests)
		waits[owner] = append(waits[owner], p.pendingSeconds(end))
	}

	sorted := make([]OwnerCounts, 0, len(counts))
	for _, c := range counts {
		sorted = append(sorted, *c)
	}
	slices.SortFunc(sorted, func(a, b OwnerCounts) int { return a.Owner.Compare(b.Owner) })

	waited := []OwnerWaits{}
	for _, c := range sorted {
		d := distributionOf(waits[c.Owner])
		over := 0
		for _, v := range waits[c.Owner] {
			if v > 1 {
				over++
			}
		}
		if over > 0 {
			waited = append(waited, OwnerWaits{Owner: c.Owner, OverSecond: over, Mean: d.Mean, P99: d.P99, Max: d.Max})
		}
	}
	return sorted, waited
}

func (r *Recorder) worstWaits(pods []podRecord, w window) []Wait {
	order := make([]*podRecord, 0, len(pods))
	for i := range pods {
		if pods[i].pendingSeconds(w.end) > 1 {
			order = append(order, &pods[i])
		}
	}
	// A stable sort keeps equal waits in the order of the rows.
	slices.SortStableFunc(order, func(a, b *podRecord) int {
		return cmp.Compare(b.pendingSeconds(w.end), a.pendingSeconds(w.end))
	})
	waits := []Wait{}
	for _, p := range order[:min(len(order), maxWorstWaits)] {
		waits = append(waits, Wait{
			Namespace:   p.namespace,
			Name:        p.name,
			Owner:       *p.owner,
			Created:     w.trace(p.created),
			Seconds:     round(p.pendingSeconds(w.end)),
			Scheduled:   p.scheduled != 0,
			Node:        p.node,
			Reason:      p.lastWait,
			CPUMillis:   p.requests.at(numberCPU),
			MemoryBytes: p.requests.at(numberMemory),
			Resources:   r.resources.raise(nil, p.requests),
		})
	}
	return waits
}

func (r *Recorder) waitReasons(pods []podRecord, end instant) []ReasonCount {
	counts := make([]ReasonCount, len(r.classes.names))
	mainOf := map[string]int{} // by message
	for i := range pods {
		p := &pods[i]
		if p.waitClasses == 0 || p.pendingSeconds(end) <= 1 {
			continue
		}
		main, ok := mainOf[p.lastWait]
		if !ok {
			if main, ok = r.classes.index[mainClass(p.lastWait)]; !ok {
				main = r.classes.index[otherClass]
			}
			mainOf[p.lastWait] = main
		}
		counts[main].Mainly++
		for class := range counts {
			if p.waitClasses&(1<<class) != 0 {
				counts[class].Pods++
				counts[class].Seconds += p.pendingSeconds(end)
			}
		}
	}
	reasons := []ReasonCount{}
	for class, c := range counts {
		if c.Pods > 0 {
			reasons = append(reasons, ReasonCount{
				Reason: r.classes.names[class], Mainly: c.Mainly, Pods: c.Pods, Seconds: round(c.Seconds),
			})
		}
	}
	slices.SortFunc(reasons, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Mainly, a.Mainly), cmp.Compare(b.Pods, a.Pods), strings.Compare(a.Reason, b.Reason))
	})
	return reasons
}
