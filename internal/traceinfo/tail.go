package traceinfo

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// maxExamples is the maximum number of examples.
const maxExamples = 5

func (c *collector) tail(tail *trace.Tail) {
	c.checkIndex(tail.Index)
	c.lifecycles(tail.Lifecycles)
	if tail.Extension != nil {
		c.info.Extension = c.extension(tail.Extension)
	}
}

func (c *collector) checkIndex(index trace.Index) {
	check := &c.info.Checks.Index
	check.Examples = []string{}
	example := func(gvk schema.GroupVersionKind, name, what string) {
		if len(check.Examples) < maxExamples {
			check.Examples = append(check.Examples, fmt.Sprintf("%s %s: %s", trace.FormatGVK(gvk), name, what))
		}
	}
	for _, gvk := range sortedKinds(index) {
		var objects map[string]*object
		if k := c.kinds[gvk]; k != nil {
			objects = k.objects
		}
		for _, name := range slices.Sorted(maps.Keys(index[gvk])) {
			check.Entries++
			o := objects[name]
			switch {
			case o == nil || !o.applied:
				check.Extra++
				example(gvk, name, "no event applies it")
			case o.hash != index[gvk][name]:
				check.Differ++
				example(gvk, name, fmt.Sprintf("the last manifest has the hash %d, the index %d", o.hash, index[gvk][name]))
			}
		}
	}
	for _, gvk := range sortedKinds(c.kinds) {
		objects := c.kinds[gvk].objects
		for _, name := range slices.Sorted(maps.Keys(objects)) {
			if _, ok := index[gvk][name]; !ok && objects[name].applied {
				check.Missing++
				example(gvk, name, "not in the index")
			}
		}
	}
}

func (c *collector) lifecycles(all trace.Lifecycles) {
	info, check := &c.info.Lifecycles, &c.info.Checks.Lifecycles
	check.Examples = []string{}
	var seconds []int64
	owners := slices.SortedFunc(maps.Keys(all), func(a, b trace.PodOwner) int {
		return cmp.Or(cmp.Compare(trace.FormatGVK(a.GVK), trace.FormatGVK(b.GVK)), cmp.Compare(a.Name, b.Name))
	})
	for _, owner := range owners {
		info.Owners++
		example := func(what string) {
			if len(check.Examples) < maxExamples {
				check.Examples = append(check.Examples, fmt.Sprintf("%s: %s", owner, what))
			}
		}
		var o *object
		if k := c.kinds[owner.GVK]; k != nil {
			o = k.objects[owner.Name]
		}
		if o == nil {
			check.UnknownOwners++
			example("no event has it")
		}
		for _, hash := range slices.Sorted(maps.Keys(all[owner])) {
			if o != nil && o.applied && isPod(owner.GVK) && !slices.Contains(o.pods, hash) {
				check.OtherPods++
				example(fmt.Sprintf("none of its manifests has the pod hash %d", hash))
			}
			for _, l := range all[owner][hash] {
				info.Pods++
				switch l.State {
				case trace.Finished:
					info.Finished++
					seconds = append(seconds, max(l.End-l.Start, 0))
					if l.End < l.Start {
						check.Reversed++
						example("a lifecycle ends before it starts")
					}
				case trace.Running:
					info.Running++
				default:
					info.Empty++
				}
			}
		}
	}
	info.Seconds = quantiles(seconds)
}

// quantiles sorts the values and returns their quantiles. A quantile is the smallest value for
// which at least that share of the values is not greater.
func quantiles(values []int64) *Quantiles {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	at := func(percent int) int64 { return values[(len(values)*percent+99)/100-1] }
	return &Quantiles{Min: values[0], P50: at(50), P90: at(90), P99: at(99), Max: values[len(values)-1]}
}

func (c *collector) extension(raw []byte) *Extension {
	info := &Extension{Bytes: len(raw)}
	x, err := trace.ParseExtension(raw)
	if err != nil {
		info.Problem = err.Error()
		return info
	}
	info.EventTimes = len(x.EventTimes) > 0 && slices.EqualFunc(x.EventTimes, c.counts, func(times []uint16, n uint32) bool { return len(times) == int(n) })
	info.Gaps = len(x.Gaps)
	for _, gap := range x.Gaps {
		info.GapMillis += gap.To - gap.From
	}
	nodes := map[string]bool{}
	for i := range x.Nodes {
		nodes[x.Nodes[i].Name] = true
	}
	info.Nodes, info.NodePeriods = len(nodes), len(x.Nodes)
	info.Pods = len(x.Pods)
	for i := range x.Pods {
		if x.Pods[i].Node != "" {
			info.Scheduled++
		}
	}
	return info
}

// sortedKinds returns the keys of a map, sorted by their string form.
func sortedKinds[V any](m map[schema.GroupVersionKind]V) []schema.GroupVersionKind {
	return slices.SortedFunc(maps.Keys(m), func(a, b schema.GroupVersionKind) int {
		return cmp.Compare(trace.FormatGVK(a), trace.FormatGVK(b))
	})
}
