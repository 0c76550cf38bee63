package traceconvert

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/trace"
)

// pods collects how long pods ran.
type pods struct {
	b    *builder
	live map[objectKey]*livePod
	all  []*trace.PodTimes
	// lifecycles are the lifecycles of all pods, by the same indexes.
	lifecycles []trace.Lifecycle
}

// livePod is a pod that has not been deleted.
type livePod struct {
	place int // index in all
	uid   string
	last  manifest.Pod
}

func newPods(b *builder) *pods { return &pods{b: b, live: map[objectKey]*livePod{}} }

// owner returns the owner under which the lifecycle of a pod is recorded.
func (p *pods) owner(k objectKey) (trace.PodOwner, bool) {
	top := p.b.top(k)
	gvk := p.b.objects[top].gvk
	if !p.b.objects[top].passes || !p.b.config.TrackedObjects[gvk].TrackLifecycle {
		return trace.PodOwner{}, false
	}
	return trace.PodOwner{GVK: gvk, Name: top.name}, true
}

func (p *pods) add(c *change, k objectKey, at int64) error {
	if c.gvk != corev1.SchemeGroupVersion.WithKind("Pod") {
		return nil
	}
	pod := p.live[k]
	if c.json == nil {
		p.end(k, pod, at)
		return nil
	}
	seen, err := manifest.ParsePod(c.json)
	if err != nil {
		return err
	}
	if pod != nil && pod.uid != seen.Head.UID {
		p.end(k, pod, at)
		pod = nil
	}
	if pod == nil {
		owner, ok := p.owner(k)
		if !ok {
			return nil
		}
		hash, err := manifest.PodHash(c.json, nil)
		if err != nil {
			return err
		}
		created := p.b.creation(c, seen.Head.CreationTimestamp, at)
		pod = &livePod{place: len(p.all), uid: strings.Clone(seen.Head.UID)}
		p.live[k] = pod
		p.all = append(p.all, &trace.PodTimes{
			Owner: owner, Namespace: strings.Clone(seen.Head.Namespace), Name: strings.Clone(seen.Head.Name), Hash: hash, Created: created,
		})
		p.lifecycles = append(p.lifecycles, trace.Lifecycle{})
	}
	seen.Head = manifest.Head{}
	pod.last = seen
	p.observe(pod, seen.Lifecycle)
	times := p.all[pod.place]
	if seen.NodeName != "" && times.Node == "" {
		times.Node = strings.Clone(seen.NodeName)
		times.Scheduled = p.b.second(seen.Scheduled) * 1000
		if !c.state && floorSecond(at) == times.Scheduled {
			times.Scheduled = at
		}
	}
	return nil
}

// end records that a pod was deleted.
func (p *pods) end(k objectKey, pod *livePod, at int64) {
	if pod == nil {
		return
	}
	delete(p.live, k)
	p.observe(pod, pod.last.ObserveDeleted(floorSecond(at-p.b.shift)/1000))
	p.all[pod.place].Deleted = at
}

func (p *pods) observe(pod *livePod, l trace.Lifecycle) {
	l.Start, l.End = p.b.second(l.Start), p.b.second(l.End)
	p.lifecycles[pod.place] = lifecycle.Merge(p.lifecycles[pod.place], l)
}

// finish returns the lifecycles and times of all pods.
func (p *pods) finish() (trace.Lifecycles, []trace.PodTimes) {
	lifecycles := trace.Lifecycles{}
	times := make([]trace.PodTimes, 0, len(p.all))
	start := p.b.summary.Start
	order := make([]int, len(p.all))
	for i := range order {
		order[i] = i
	}
	// Initial pods are in no particular order.
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p.all[i].Created, p.all[j].Created) })
	for _, i := range order {
		t, l := p.all[i], p.lifecycles[i]
		if l.State != trace.Empty {
			t.Started = l.Start * 1000
		}
		if l.State == trace.Finished {
			t.Finished = l.End * 1000
		}
		// A manifest that was not recorded says nothing about a pod's times.
		if t.Created+t.Scheduled+t.Started+t.Deleted > 0 {
			times = append(times, *t)
		}
		if l.State == trace.Empty || l.State == trace.Finished && l.End < start {
			continue
		}
		if lifecycles[t.Owner] == nil {
			lifecycles[t.Owner] = map[uint64][]trace.Lifecycle{}
		}
		lifecycles[t.Owner][t.Hash] = append(lifecycles[t.Owner][t.Hash], lifecycle.Truncate(l, start))
	}
	return lifecycles, times
}

// nodes collects the nodes of the cluster.
type nodes struct {
	f       *found
	periods []trace.NodePeriod
	live    map[string]liveNode
}

type liveNode struct {
	place int
	shape string
}

func newNodes(f *found) *nodes { return &nodes{f: f, live: map[string]liveNode{}} }

func (n *nodes) add(c *change, at int64) error {
	if c.gvk != (schema.GroupVersionKind{Version: "v1", Kind: "Node"}) {
		return nil
	}
	last, exists := n.live[c.name]
	if c.json == nil {
		if exists {
			n.periods[last.place].To = at
			delete(n.live, c.name)
		}
		return nil
	}
	node, err := manifest.ParseNode(c.json)
	if err != nil {
		return err
	}
	if exists && last.shape == string(node.Shape) {
		return nil
	}
	shape, err := trace.ParseNodeShape(node.Shape)
	if err != nil {
		return err
	}
	from := at
	if exists {
		n.periods[last.place].To = at
	} else if created := n.f.creation(c, node.Head.CreationTimestamp, at); created > 0 {
		from = min(created, at)
	}
	n.live[strings.Clone(c.name)] = liveNode{len(n.periods), string(node.Shape)}
	n.periods = append(n.periods, trace.NodePeriod{Name: node.Head.Name, From: from, NodeShape: shape})
	return nil
}

// finish returns the periods of all nodes, in the order in which they appeared.
func (n *nodes) finish() []trace.NodePeriod {
	slices.SortStableFunc(n.periods, func(a, b trace.NodePeriod) int { return cmp.Compare(a.From, b.From) })
	n.live = nil // the indexes are no longer valid
	return n.periods
}
