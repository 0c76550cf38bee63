package traceedit

import (
	"cmp"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// config merges the configurations.
func (m *merger) config() (*trace.Config, error) {
	merged := &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{}}
	by := map[schema.GroupVersionKind]*part{}
	for _, p := range m.parts {
		for gvk, tracked := range p.file.Config().TrackedObjects {
			known, ok := merged.TrackedObjects[gvk]
			switch {
			case !ok, m.opts.OnConflict == ConflictLast:
			case m.opts.OnConflict == ConflictFirst, known.SameMeaning(tracked, gvk):
				continue
			default:
				return nil, &DifferentError{What: "configurations of " + trace.FormatGVK(gvk), First: by[gvk].name, Second: p.name}
			}
			merged.TrackedObjects[gvk] = tracked
			by[gvk] = p
		}
	}
	return merged, nil
}

// byBegin returns the traces sorted by their start.
func (m *merger) byBegin() []*part {
	return slices.SortedStableFunc(slices.Values(m.parts), func(a, b *part) int { return cmp.Compare(a.begin(), b.begin()) })
}

// lifecycles merges the lifecycles.
func (m *merger) lifecycles() trace.Lifecycles {
	merged := trace.Lifecycles{}
	for _, p := range m.byBegin() {
		for owner, hashes := range p.tail.Lifecycles {
			for hash, list := range hashes {
				joined := p.joinLifecycles(merged[owner][hash], list)
				if len(joined) == 0 {
					continue
				}
				if merged[owner] == nil {
					merged[owner] = map[uint64][]trace.Lifecycle{}
				}
				merged[owner][hash] = joined
			}
		}
	}
	return merged
}

// joinLifecycles adds the trace's lifecycles of some pods to those of earlier traces. Equal
// lifecycles are merged, and so is one that continues in this trace.
func (p *part) joinLifecycles(known, more []trace.Lifecycle) []trace.Lifecycle {
	joined := slices.Clone(known)
	matched := make([]bool, len(known))
	for _, l := range more {
		l = p.moved(l)
		if l.State != trace.Empty && l.Start >= p.end {
			continue // it continues in the next trace
		}
		n := p.match(known, matched, l)
		if n < 0 {
			joined = append(joined, l)
			continue
		}
		matched[n] = true
		if l.State == trace.Finished && joined[n].State == trace.Running {
			joined[n].State, joined[n].End = trace.Finished, l.End
		}
	}
	return joined
}

// match returns the index of the lifecycle that l equals or continues, among those not matched yet.
// A lifecycle that was cut off starts when its trace does. One with the same end matches; one with
// an unknown end may match.
func (p *part) match(known []trace.Lifecycle, matched []bool, l trace.Lifecycle) int {
	find := func(is func(trace.Lifecycle) bool) int {
		for n, other := range known {
			if !matched[n] && is(other) {
				return n
			}
		}
		return -1
	}
	if n := find(func(other trace.Lifecycle) bool { return other == l }); n >= 0 || l.State == trace.Empty {
		return n
	}
	cut := l.Start == p.begin()
	if l.State == trace.Finished {
		n := find(func(other trace.Lifecycle) bool {
			return other.State == trace.Finished && other.End == l.End && cut && other.Start < l.Start
		})
		if n >= 0 {
			return n
		}
	}
	return find(func(other trace.Lifecycle) bool {
		return other.State == trace.Running && (cut && other.Start < l.Start || other.Start == l.Start)
	})
}

// moved returns a lifecycle at its time in the merged trace.
func (p *part) moved(l trace.Lifecycle) trace.Lifecycle {
	if l.State != trace.Empty {
		l.Start += p.shift
	}
	if l.State == trace.Finished {
		l.End += p.shift
	}
	return l
}

// millisMoved moves a time of x-simkube. 0 means that there is no time.
func (p *part) millisMoved(ms int64) int64 {
	if ms == 0 {
		return 0
	}
	return ms + p.shift*1000
}

// extension merges the values of x-simkube; nil if no trace has one.
func (m *merger) extension() *trace.Extension {
	merged := &trace.Extension{}
	found := false
	gaps := map[trace.Gap]bool{}
	nodes := map[nodeKey]int{}
	pods := map[podKey]int{}
	for _, p := range m.byBegin() {
		x := p.extension
		if x == nil {
			continue
		}
		found = true
		for _, g := range x.Gaps {
			g = trace.Gap{From: p.millisMoved(g.From), To: p.millisMoved(g.To)}
			if !gaps[g] {
				gaps[g] = true
				merged.Gaps = append(merged.Gaps, g)
			}
		}
		for _, n := range x.Nodes {
			n.From, n.To = p.millisMoved(n.From), p.millisMoved(n.To)
			k := nodeKey{n.Name, n.From}
			if i, ok := nodes[k]; ok && sameShape(merged.Nodes[i].NodeShape, n.NodeShape) {
				merged.Nodes[i].To = cmp.Or(merged.Nodes[i].To, n.To)
				continue
			}
			nodes[k] = len(merged.Nodes)
			merged.Nodes = append(merged.Nodes, n)
		}
		known := map[podKey]int{}
		for _, t := range x.Pods {
			for _, ms := range []*int64{&t.Created, &t.Scheduled, &t.Started, &t.Finished, &t.Deleted} {
				*ms = p.millisMoved(*ms)
			}
			k := podKey{owner: t.Owner, namespace: t.Namespace, name: t.Name, created: t.Created}
			known[k]++
			k.n = known[k]
			if n, ok := pods[k]; ok {
				merged.Pods[n] = joinPod(merged.Pods[n], t)
				continue
			}
			pods[k] = len(merged.Pods)
			merged.Pods = append(merged.Pods, t)
		}
	}
	if !found {
		return nil
	}
	slices.SortStableFunc(merged.Gaps, func(a, b trace.Gap) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	slices.SortStableFunc(merged.Nodes, func(a, b trace.NodePeriod) int { return cmp.Compare(a.From, b.From) })
	slices.SortStableFunc(merged.Pods, func(a, b trace.PodTimes) int { return cmp.Compare(a.Created, b.Created) })
	return merged
}

// nodeKey identifies a node.
type nodeKey struct {
	name string
	from int64
}

func sameShape(a, b trace.NodeShape) bool {
	return a.Unschedulable == b.Unschedulable && slices.Equal(a.Taints, b.Taints) && maps.Equal(a.Labels, b.Labels) &&
		maps.Equal(a.Capacity, b.Capacity) && maps.Equal(a.Allocatable, b.Allocatable)
}

// podKey identifies a pod.
type podKey struct {
	owner           trace.PodOwner
	namespace, name string
	created         int64
	// n distinguishes pods of one trace, from 1: their creation may be unknown.
	n int
}

// joinPod merges the times of a pod in two traces.
func joinPod(a, b trace.PodTimes) trace.PodTimes {
	for _, t := range [][2]*int64{{&a.Scheduled, &b.Scheduled}, {&a.Started, &b.Started}, {&a.Finished, &b.Finished}, {&a.Deleted, &b.Deleted}} {
		*t[0] = cmp.Or(*t[0], *t[1])
	}
	a.Node = cmp.Or(a.Node, b.Node)
	return a
}
