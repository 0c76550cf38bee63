package results

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Run returns everything recorded so far, up to info.End.
func (r *Recorder) Run(info Info) *Run {
	r.mu.Lock()
	defer r.mu.Unlock()

	w := r.window(info)
	pods := r.podsUntil(w.end)
	nodes := r.nodesUntil(w.end)
	events := r.eventsUntil(w.end)

	run := &Run{
		Pods:   make([]Pod, len(pods)),
		Events: make([]EventRow, len(events)),
	}
	others := r.resources.others()
	for i := range pods {
		run.Pods[i] = r.podRow(&pods[i], w, others)
	}
	for i, e := range events {
		run.Events[i] = eventRow(e)
	}
	moved := markWithNode(pods, nodes)
	r.explainUnplaced(pods, w)
	s := newSweep(w, &r.resources, pods, nodes, events, info.Offers)
	s.run()
	run.Timeline = s.timeline
	run.Nodes = s.nodeRows()
	run.Decisions = r.decisionRows(w)
	addCauses(run.Nodes, run.Decisions)
	run.Summary = r.summarize(info, w, pods, nodes, events, s, moved)
	run.Summary.Timing.Decisions = countDecisions(run.Decisions)
	return run
}

// window is the time that a run covers, on the clock.
type window struct {
	start, end instant
	times      TimeMap
}

// trace returns a time on the clock as trace time, to the microsecond, which is what files keep.
func (w window) trace(i instant) time.Time {
	if i == 0 {
		return time.Time{}
	}
	return w.times.Trace(i.time()).Truncate(time.Microsecond)
}

// traceHours converts a product of a quantity and nanoseconds of the clock to hours of the trace.
func (w window) traceHours(v float64) float64 {
	return v * w.times.speed() / float64(time.Hour)
}

func (w window) length() float64 { return float64(w.end - w.start) }

// window returns the window of info. Without a start in info, it starts with the first object seen.
func (r *Recorder) window(info Info) window {
	w := window{start: instantOf(info.Times.ClockStart), end: instantOf(info.End), times: info.Times}
	if w.end == 0 {
		w.end = max(r.podSeen, r.nodeSeen)
		for _, e := range r.events {
			w.end = max(w.end, instantOf(e.Done))
		}
	}
	if w.start == 0 {
		w.start = w.end
		for _, p := range r.pods {
			w.start = min(w.start, p.created)
		}
		for _, n := range r.nodes {
			w.start = min(w.start, n.created)
		}
	}
	w.end = max(w.start, w.end)
	return w
}

// podsUntil returns copies of the records as they were at end, in the order of the rows.
func (r *Recorder) podsUntil(end instant) []podRecord {
	pods := make([]podRecord, 0, len(r.pods))
	for _, rec := range r.pods {
		if rec.created > end {
			continue
		}
		p := *rec
		for _, at := range []*instant{&p.scheduled, &p.running, &p.finished, &p.deleted, &p.ending} {
			if *at > end {
				*at = 0
			}
		}
		if p.scheduled == 0 {
			p.node = ""
		}
		switch {
		case p.finished != 0:
		case p.running != 0:
			p.phase = corev1.PodRunning
		default:
			p.phase = corev1.PodPending
		}
		pods = append(pods, p)
	}
	slices.SortFunc(pods, func(a, b podRecord) int {
		return cmp.Or(
			cmp.Compare(a.created, b.created),
			strings.Compare(a.namespace, b.namespace),
			strings.Compare(a.name, b.name),
			strings.Compare(a.uid, b.uid),
		)
	})
	return pods
}

// nodesUntil returns copies of the records as they were at end, by name and life.
func (r *Recorder) nodesUntil(end instant) []nodeRecord {
	nodes := make([]nodeRecord, 0, len(r.nodes))
	for _, rec := range r.nodes {
		if rec.created > end {
			continue
		}
		n := *rec
		if n.ready > end {
			n.ready = 0
		}
		if n.deleted > end {
			n.deleted = 0
		}
		if n.leaving > end {
			n.leaving = 0
		}
		for len(n.states) > 0 && n.states[len(n.states)-1].at > end {
			n.states = n.states[:len(n.states)-1]
		}
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b nodeRecord) int {
		return cmp.Or(
			strings.Compare(a.name, b.name),
			cmp.Compare(a.created, b.created),
			strings.Compare(a.uid, b.uid),
		)
	})
	return nodes
}

func (r *Recorder) eventsUntil(end instant) []Event {
	events := make([]Event, 0, len(r.events))
	for _, e := range r.events {
		if instantOf(e.Started) <= end {
			events = append(events, e)
		}
	}
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.Index, b.Index) })
	return events
}

func (r *Recorder) podRow(p *podRecord, w window, others []int) Pod {
	return Pod{
		UID:               p.uid,
		Namespace:         p.namespace,
		Name:              p.name,
		OriginalNamespace: p.owner.Namespace,
		OwnerKind:         p.owner.Kind,
		OwnerName:         p.owner.Name,
		Created:           w.trace(p.created),
		Scheduled:         w.trace(p.scheduled),
		Running:           w.trace(p.running),
		Finished:          w.trace(p.finished),
		Deleted:           w.trace(p.deleted),
		Phase:             string(p.phase),
		Node:              p.node,
		CPUMillis:         p.requests.at(numberCPU),
		MemoryBytes:       p.requests.at(numberMemory),
		GPUs:              p.requests.at(numberGPUs),
		Resources:         r.resources.requested(p.requests, others),
		PriorityClass:     p.priorityClass,
		PendingSeconds:    round(p.pendingSeconds(w.end)),
		StartSeconds:      round(p.startSeconds()),
		FirstWaitReason:   p.firstWait,
		LastWaitReason:    p.lastWait,
		WaitReasons:       p.waits,
		WaitClasses:       strings.Join(r.classes.classes(p.waitClasses), "; "),
		Disruption:        p.disruption,
	}
}

// pendingSeconds returns how long the pod waited for a node, until now if it is still waiting.
func (p *podRecord) pendingSeconds(now instant) float64 {
	until := now
	for _, at := range []instant{p.deleted, p.finished, p.scheduled} {
		if at != 0 {
			until = at
		}
	}
	return seconds(until - p.created)
}

func (p *podRecord) startSeconds() float64 {
	if p.running == 0 {
		return 0
	}
	return seconds(p.running - p.scheduled)
}

func seconds(d instant) float64 { return time.Duration(d).Seconds() }

func eventRow(e Event) EventRow {
	return EventRow{
		Index:           int64(e.Index),
		Time:            e.TraceTime.UTC().Truncate(time.Microsecond),
		LagSeconds:      round(e.Lag.Seconds()),
		DurationSeconds: round(e.Done.Sub(e.Started).Seconds()),
		Applied:         int32(e.Applied),
		Deleted:         int32(e.Deleted),
		Problems:        int32(len(e.Problems)),
	}
}
