package results

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	maxWorstWaits    = 20
	maxFirstProblems = 100
	maxBarePods      = 100
)

func (r *Recorder) summarize(info Info, w window, pods []podRecord, nodes []nodeRecord, events []Event, s *sweep, moved int) Summary {
	sum := Summary{SchemaVersion: SchemaVersion, Run: runInfo(info, w)}
	out, timing := &sum.Outcome, &sum.Timing

	out.Events = countEvents(events)
	out.Pods = countPods(pods)
	out.Pods.Moved = moved
	out.Nodes = countNodes(nodes, w)
	problems := problemsOf(info, events)
	out.Problems = countProblems(problems)
	known := slices.Concat(info.Deviations, r.failureDeviations(pods))
	out.Deviations = newDeviations(slices.Concat(problemDeviations(problems), known, podDeviations(pods, w, info.Recording, known)))
	for _, note := range info.Notes {
		sum.Notes = addNote(sum.Notes, note)
	}
	out.ByOwner, timing.PendingByOwner = r.byOwner(pods, w.end)

	timing.Pending = pendingOf(pods, w.end)
	timing.Start = startOf(pods)
	timing.ReplayLag = lagsOf(events)
	timing.Pods = s.totals.peakPods
	timing.Nodes = NodeUsage{Peak: s.totals.peakNodes, NodeHours: round(w.traceHours(s.totals.nodes))}
	timing.Nodes.Lifetime = lifetimesOf(nodes, w)
	if w.length() > 0 {
		timing.Nodes.Mean = round(s.totals.nodes / w.length())
	}
	if timing.Cost = costOf(nodes, w); timing.Cost != nil {
		timing.Cost.LowerBound = s.served.lowerBound(w)
	}
	timing.Resources = map[string]ResourceUsage{}
	for number, name := range r.resources.names {
		timing.Resources[name] = s.totals.usage(number, UnitOf(name), w)
	}
	timing.CPU, timing.Memory = timing.Resources[string(corev1.ResourceCPU)], timing.Resources[string(corev1.ResourceMemory)]
	timing.GPU = timing.Resources[AllGPUs]
	delete(timing.Resources, AllGPUs)
	timing.WorstWaits = r.worstWaits(pods, w)
	timing.WaitReasons = r.waitReasons(pods, w.end)
	sum.Measures = MeasuresOf(&sum)
	return sum
}

func runInfo(info Info, w window) RunInfo {
	return RunInfo{
		Simulation:   info.Simulation,
		Trace:        info.Trace,
		Speed:        w.times.speed(),
		Interrupted:  info.Interrupted,
		Versions:     info.Versions,
		Settings:     info.Settings,
		ClockStart:   w.start.time(),
		WindowStart:  w.trace(w.start),
		WindowEnd:    w.trace(w.end),
		ClockSeconds: round(seconds(w.end - w.start)),
		WallSeconds:  round(info.Wall.Seconds()),
	}
}

func countEvents(events []Event) EventCounts {
	c := EventCounts{Replayed: len(events)}
	for _, e := range events {
		c.Applied += e.Applied
		c.Deleted += e.Deleted
	}
	return c
}

func countPods(pods []podRecord) PodCounts {
	c := PodCounts{Created: len(pods)}
	for i := range pods {
		p := &pods[i]
		if p.scheduled != 0 {
			c.Scheduled++
		} else {
			c.NeverScheduled++
		}
		if p.running != 0 {
			c.Ran++
		}
		if p.failed() {
			c.Failed++
		} else if p.succeeded() {
			c.Succeeded++
		}
		if p.deleted != 0 {
			c.Deleted++
		}
		if p.disruption != "" && !p.withNode {
			c.Disrupted++
		}
	}
	return c
}

func countNodes(nodes []nodeRecord, w window) NodeCounts {
	c := NodeCounts{Count: len(nodes)}
	for i := range nodes {
		if nodes[i].created > w.start {
			c.Made++
		}
		if nodes[i].deleted != 0 {
			c.Deleted++
		}
	}
	return c
}

// problemsOf returns all problems, ordered by event.
func problemsOf(info Info, events []Event) []Problem {
	all := slices.Clone(info.Problems)
	for _, e := range events {
		// The objects of an event are applied concurrently, so their problems are in no order.
		problems := slices.SortedFunc(slices.Values(e.Problems), func(a, b Problem) int {
			return cmp.Or(strings.Compare(a.Category, b.Category),
				strings.Compare(a.Object, b.Object), strings.Compare(a.Message, b.Message))
		})
		for _, p := range problems {
			if p.Time.IsZero() {
				p.Time = e.TraceTime
			}
			p.Time = p.Time.UTC()
			all = append(all, p)
		}
	}
	return all
}

func countProblems(problems []Problem) ProblemCounts {
	c := ProblemCounts{
		Total: len(problems), ByCategory: []CategoryCount{},
		First: append([]Problem{}, problems[:min(len(problems), maxFirstProblems)]...),
	}
	byCategory := map[string]int{}
	for _, p := range problems {
		byCategory[p.Category]++
	}
	for _, category := range slices.Sorted(maps.Keys(byCategory)) {
		c.ByCategory = append(c.ByCategory, CategoryCount{Category: category, Count: byCategory[category]})
	}
	return c
}

func pendingOf(pods []podRecord, end instant) Waits {
	var waits Waits
	all := make([]float64, len(pods))
	for i := range pods {
		all[i] = pods[i].pendingSeconds(end)
		if all[i] > 1 {
			waits.OverSecond++
		}
		if pods[i].waits > 0 {
			waits.Unschedulable++
		}
	}
	waits.Distribution = distributionOf(all)
	return waits
}

func startOf(pods []podRecord) Distribution {
	var all []float64
	for i := range pods {
		if pods[i].running != 0 {
			all = append(all, pods[i].startSeconds())
		}
	}
	return distributionOf(all)
}

func lagsOf(events []Event) Distribution {
	all := make([]float64, len(events))
	for i, e := range events {
		all[i] = e.Lag.Seconds()
	}
	return distributionOf(all)
}

// usage returns the use of a resource in its unit.
func (t *totals) usage(number int, unit ResourceUnit, w window) ResourceUsage {
	if number >= len(t.resources) {
		return ResourceUsage{}
	}
	r := &t.resources[number]
	u := ResourceUsage{
		AllocatableHours: round(w.traceHours(r.allocatable) / unit.Size),
		RequestedHours:   round(w.traceHours(r.requested) / unit.Size),
		PeakUtilization:  round(r.peakUtilization),
		PeakAllocatable:  round(float64(r.peakAllocatable) / unit.Size),
		PeakRequested:    round(float64(r.peakRequested) / unit.Size),
		PeakDemand:       round(float64(r.peakDemand) / unit.Size),
	}
	if r.allocatable > 0 {
		u.MeanUtilization = round(r.requested / r.allocatable)
	}
	return u
}
