package export

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// tail writes what follows the events.
func (e *exporter) tail() (err error) {
	if err := e.index.seal(); err != nil {
		return err
	}
	e.summary.Indexed = e.index.count
	lifecycles := newTable(e.dir, e.opts.memory)
	defer func() { err = errors.Join(err, lifecycles.close()) }()
	if err := e.lifecycles(lifecycles); err != nil {
		return fmt.Errorf("export the lifecycles: %w", err)
	}
	e.summary.Lifecycles = lifecycles.count
	gaps, err := e.gaps()
	if err != nil {
		return fmt.Errorf("export the gaps: %w", err)
	}
	e.summary.Gaps = int64(len(gaps))
	tail := trace.TailStream{Index: indexEntries(e.index), Lifecycles: lifecycleEntries(lifecycles)}
	if e.times != nil {
		stream := trace.ExtensionStream{EventTimes: e.times.all(), Gaps: sure(slices.Values(gaps)), Nodes: e.nodes(), Pods: e.pods()}
		tail.Extension = stream.Write
	}
	return e.writer.FinishStream(&tail)
}

// lifecycles collects the lifecycles that overlap the window, of pods whose owner is in the trace.
func (e *exporter) lifecycles(sorted *table) error {
	n := uint64(0)
	for p, err := range e.ownedPods() {
		if err != nil {
			return err
		}
		if !lifecycle.Overlaps(p.pod.Lifecycle, e.summary.Start, e.summary.End) {
			continue
		}
		l := lifecycle.Truncate(p.pod.Lifecycle, e.summary.Start)
		if err := sorted.put(lifecycleKey(p.owner, p.pod.Hash, n), value{uint64(l.State), uint64(l.Start), uint64(l.End)}); err != nil {
			return err
		}
		n++
	}
	return sorted.seal()
}

// ownedPod is a pod and its owner in the trace.
type ownedPod struct {
	pod   *log.Pod
	owner log.Key
}

// ownedPods returns the pods of the window that have an owner in the trace, in the order of their
// creation. The index must be sealed.
func (e *exporter) ownedPods() iter.Seq2[ownedPod, error] {
	return func(yield func(ownedPod, error) bool) {
		known := newCache[log.Key, bool](e.opts.cached)
		for p, err := range e.source.Pods(e.from, e.to) {
			if err == nil {
				err = e.step(e.to)
			}
			var owner log.Key
			var found bool
			if err == nil {
				owner, found, err = e.owner(p, known)
			}
			if err == nil && !found {
				continue
			}
			if !yield(ownedPod{p, owner}, err) || err != nil {
				return
			}
		}
	}
}

var podKind = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}

// owner returns the owner of the lifecycle of a pod: of its ancestors and the pod itself, the
// topmost that is in the trace and whose kind has lifecycles tracked.
func (e *exporter) owner(p *log.Pod, known *cache[log.Key, bool]) (log.Key, bool, error) {
	in := func(key log.Key) (bool, error) {
		if !e.opts.Config.TrackedObjects[key.GVK].TrackLifecycle {
			return false, nil
		}
		if in, ok := known.get(key); ok {
			return in, nil
		}
		in, err := e.index.has(indexKey(key.GVK, key.Name))
		known.put(key, in)
		return in, err
	}
	for _, key := range slices.Backward(p.Ancestors) {
		if in, err := in(key); in || err != nil {
			return key, in, err
		}
	}
	if !p.Tracked {
		return log.Key{}, false, nil
	}
	self := log.Key{GVK: podKind, Name: trace.NamespacedName(p.Namespace, p.Name)}
	found, err := in(self)
	return self, found, err
}

// gaps returns the times in the window for which changes may be missing, in order. It joins the
// overlapping gaps of all kinds; one that is not over ends with the window, or now.
func (e *exporter) gaps() ([]trace.Gap, error) {
	var all []trace.Gap
	for g, err := range e.source.Gaps(e.from, e.to) {
		if err != nil {
			return nil, err
		}
		all = append(all, trace.Gap{From: g.From, To: g.To})
	}
	if until := min(e.source.Time(), e.to); e.opts.Unsure > 0 && e.opts.Unsure < until {
		all = append(all, trace.Gap{From: e.opts.Unsure, To: until})
	}
	slices.SortFunc(all, func(a, b trace.Gap) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	joined := all[:0]
	for _, g := range all {
		if last := len(joined) - 1; last >= 0 && g.From <= joined[last].To {
			joined[last].To = max(joined[last].To, g.To)
			continue
		}
		joined = append(joined, g)
	}
	return joined, nil
}

// sure converts a sequence to one whose values may be errors.
func sure[T any](values iter.Seq[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func (e *exporter) nodes() iter.Seq2[trace.NodePeriod, error] {
	return func(yield func(trace.NodePeriod, error) bool) {
		for n, err := range e.source.Nodes(e.from, e.to) {
			var node trace.NodePeriod
			if err == nil {
				node = trace.NodePeriod{Name: n.Name, From: n.From, To: n.To}
				if len(n.Shape) > 0 {
					if node.NodeShape, err = trace.ParseNodeShape(n.Shape); err != nil {
						err = fmt.Errorf("node %s: %w", n.Name, err)
					}
				}
			}
			if !yield(node, err) || err != nil {
				return
			}
		}
	}
}

func (e *exporter) pods() iter.Seq2[trace.PodTimes, error] {
	return func(yield func(trace.PodTimes, error) bool) {
		for p, err := range e.ownedPods() {
			var times trace.PodTimes
			if err == nil {
				times = podTimes(p)
			}
			if !yield(times, err) || err != nil {
				return
			}
		}
	}
}

func podTimes(p ownedPod) trace.PodTimes {
	times := trace.PodTimes{
		Owner:     trace.PodOwner{GVK: p.owner.GVK, Name: p.owner.Name},
		Namespace: p.pod.Namespace,
		Name:      p.pod.Name,
		Hash:      p.pod.Hash,
		Created:   p.pod.Created,
		Scheduled: p.pod.Scheduled,
		Started:   p.pod.Started,
		Deleted:   p.pod.Deleted,
		Node:      p.pod.Node,
	}
	if l := p.pod.Lifecycle; l.State == trace.Finished {
		times.Finished = l.End * 1000
	}
	return times
}
