package tracer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/trace"
)

// pods records the lifecycles of pods. It must be used by one goroutine.
type pods struct {
	t *Tracer
	// lifecycles are the kinds with trackLifecycle.
	lifecycles map[schema.GroupVersionKind]bool
	// bare is whether pods are recorded as objects, owned whether those with an owner are, too.
	bare, owned bool
	live        map[string]*livePod // by UID
	// chains shares the lists of ancestors between the pods of one owner, by the owner's UID.
	chains map[string]*chain
	list   uint32
}

// livePod is a pod that was not deleted.
type livePod struct {
	log.Pod
	chain    *chain
	list     uint32
	recorded bool
	// trust is how reliable its ancestors are.
	trust trust
	// over is when its containers had last all ended, in unix seconds, if its lifecycle does not say
	// so because they were restarted.
	over int64
}

// chain is a list of ancestors that pods share.
type chain struct {
	uid       string // of the owner
	ancestors []log.Key
	pods      int
}

func newPods(t *Tracer, config *trace.Config) *pods {
	p := &pods{t: t, lifecycles: map[schema.GroupVersionKind]bool{}, live: map[string]*livePod{}, chains: map[string]*chain{}}
	for gvk, tracked := range config.TrackedObjects {
		p.lifecycles[gvk] = tracked.TrackLifecycle
	}
	tracked, there := config.TrackedObjects[podKind]
	p.bare, p.owned = there, there && !tracked.SkipOwned
	return p
}

// load reads the pods that were live when the log was last written. It drops those whose lifecycles
// are no longer recorded.
func (p *pods) load(ctx context.Context) error {
	shared := map[string][]log.Key{}
	var dropped []*livePod
	for pod, err := range p.t.log.LivePods() {
		if err != nil {
			return err
		}
		clone := *pod
		key := fmt.Sprint(pod.Ancestors)
		if _, ok := shared[key]; !ok {
			shared[key] = slices.Clone(pod.Ancestors)
		}
		clone.Ancestors = shared[key]
		live := &livePod{Pod: clone, recorded: true, trust: fromLog}
		if p.wanted(clone.Tracked && p.bare && (p.owned || len(clone.Ancestors) == 0), clone.Ancestors) {
			p.live[pod.UID] = live
		} else {
			dropped = append(dropped, live)
		}
	}
	for _, pod := range dropped {
		pod.Deleted = p.t.clock.Now().UnixMilli() // its end is not known
		if err := p.append(ctx, pod); err != nil {
			return err
		}
	}
	return nil
}

// wanted reports whether the lifecycle of a pod with these ancestors is recorded. self is whether
// the pod itself is recorded.
func (p *pods) wanted(self bool, ancestors []log.Key) bool {
	if self && p.lifecycles[podKind] {
		return true
	}
	return slices.ContainsFunc(ancestors, func(k log.Key) bool { return p.lifecycles[k.GVK] })
}

func (p *pods) begin() { p.list++ }

// object handles the current state of a pod. If the pod is recorded as an object, encoder has just
// read it; otherwise it is nil.
func (p *pods) object(ctx context.Context, json []byte, encoder *manifest.Encoder) (err error) {
	var status manifest.Pod
	isRead := false
	if encoder != nil {
		status, isRead = encoder.Pod()
	}
	head := status.Head
	if !isRead {
		if head, err = manifest.ParseHead(json); err != nil {
			p.t.logger.WarnContext(ctx, "unreadable pod", "error", err)
			return nil
		}
	}
	pod := p.live[head.UID]
	if pod == nil {
		if pod, err = p.meet(ctx, &head, json); pod == nil || err != nil {
			return err
		}
	}
	pod.list = p.list
	if err := p.settle(ctx, pod, &head); err != nil {
		return err
	}
	if !isRead {
		if status, err = manifest.ParsePod(json); err != nil {
			p.t.logger.WarnContext(ctx, "unreadable pod", "pod", trace.NamespacedName(head.Namespace, head.Name), "error", err)
			return nil
		}
	}
	if !p.observe(pod, &status) && pod.recorded {
		return nil
	}
	pod.recorded = true
	return p.append(ctx, pod)
}

// meet adds a pod that was not known, or returns nil if its lifecycle is not recorded.
func (p *pods) meet(ctx context.Context, head *manifest.Head, json []byte) (*livePod, error) {
	self := p.bare && (p.owned || len(head.Owners) == 0)
	c, trust, err := p.chainOf(ctx, head)
	if err != nil {
		return nil, err
	}
	if !p.wanted(self, c.ancestors) {
		return nil, nil
	}
	hash, err := manifest.PodHash(json, p.t.redactor)
	if err != nil {
		p.t.logger.WarnContext(ctx, "pod without a hash", "pod", trace.NamespacedName(head.Namespace, head.Name), "error", err)
		return nil, nil
	}
	pod := &livePod{trust: trust, Pod: log.Pod{
		UID: strings.Clone(head.UID), Namespace: strings.Clone(head.Namespace), Name: strings.Clone(head.Name),
		Hash: hash, Tracked: self, Ancestors: c.ancestors,
		Created: p.precise(head.CreationTimestamp),
	}}
	p.share(pod, c, head)
	p.live[pod.UID] = pod
	return pod, nil
}

// share makes the pods of one owner share their ancestors, if these are known completely.
func (p *pods) share(pod *livePod, c *chain, head *manifest.Head) {
	if len(head.Owners) != 1 || pod.trust != sure {
		return
	}
	pod.chain = c
	c.pods++
	p.chains[c.uid] = c
}

// settle determines ancestors of a pod that were not known at its previous event.
func (p *pods) settle(ctx context.Context, pod *livePod, head *manifest.Head) error {
	before := pod.trust
	if before == sure {
		return nil
	}
	if len(head.Owners) == 0 {
		pod.trust = sure
		return nil
	}
	var c *chain
	if before == fromLog {
		// Nothing is requested, but owners that were listed since may be cached.
		pod.trust = sure
		ancestors, ok := p.t.owners.recall(head.Namespace, head.Owners)
		if !ok {
			return nil
		}
		c = &chain{uid: strings.Clone(head.Owners[0].UID), ancestors: ancestors}
		if shared := p.chains[c.uid]; shared != nil && len(head.Owners) == 1 {
			c = shared
		}
	} else {
		var err error
		if c, pod.trust, err = p.chainOf(ctx, head); err != nil {
			return err
		}
	}
	more := func(k log.Key) bool { return !slices.Contains(pod.Ancestors, k) }
	if !slices.ContainsFunc(c.ancestors, more) {
		return nil // deleted owners remain ancestors
	}
	pod.Ancestors = c.ancestors
	p.share(pod, c, head)
	pod.recorded = false
	return nil
}

// chainOf returns the tracked ancestors of a pod, and whether they are complete.
func (p *pods) chainOf(ctx context.Context, head *manifest.Head) (*chain, trust, error) {
	if len(head.Owners) == 0 {
		return &chain{}, sure, nil
	}
	uid := head.Owners[0].UID
	if c := p.chains[uid]; c != nil && len(head.Owners) == 1 {
		return c, sure, nil
	}
	ancestors, certain, err := p.t.ancestors(ctx, head.Namespace, head.Owners)
	c := &chain{uid: strings.Clone(uid), ancestors: ancestors}
	if !certain {
		return c, unsure, err
	}
	return c, sure, err
}

// observe updates a pod from its status, and reports whether that changed anything.
func (p *pods) observe(pod *livePod, status *manifest.Pod) bool {
	before := *pod
	pod.Lifecycle = lifecycle.Merge(pod.Lifecycle, status.Lifecycle)
	pod.over = 0
	if status.Lifecycle.State == trace.Finished {
		pod.over = status.Lifecycle.End
	}
	if pod.Node == "" {
		pod.Node = strings.Clone(status.NodeName)
	}
	if pod.Scheduled == 0 && status.Scheduled != 0 {
		pod.Scheduled = p.precise(status.Scheduled)
	}
	if pod.Started == 0 && pod.Lifecycle.State != trace.Empty {
		pod.Started = p.precise(pod.Lifecycle.Start)
	}
	return before.Lifecycle != pod.Lifecycle || before.Node != pod.Node || before.Scheduled != pod.Scheduled || before.Started != pod.Started
}

// precise returns a time in seconds from Kubernetes in milliseconds. If the time has just passed,
// it is the time at which it was received.
func (p *pods) precise(seconds int64) int64 {
	now := p.t.clock.Now().UnixMilli()
	if ms := now - seconds*1000; ms < 0 || ms >= 2000 {
		return seconds * 1000
	}
	return min(now, seconds*1000+999)
}

// gone records the deletion of a pod.
func (p *pods) gone(ctx context.Context, head *manifest.Head, json []byte) error {
	pod := p.live[head.UID]
	if pod == nil {
		return nil
	}
	if status, err := manifest.ParsePod(json); err == nil {
		p.observe(pod, &status)
	}
	return p.end(ctx, pod)
}

// end records that a pod no longer exists.
func (p *pods) end(ctx context.Context, pod *livePod) error {
	now := p.t.clock.Now()
	pod.Deleted = max(now.UnixMilli(), pod.Created) // Created is a time of the API server's clock
	if pod.Lifecycle.State == trace.Running {
		end := now.Unix()
		if pod.over != 0 {
			end = pod.over // it had ended before
		}
		pod.Lifecycle.State, pod.Lifecycle.End = trace.Finished, max(end, pod.Lifecycle.Start)
	}
	delete(p.live, pod.UID)
	if pod.chain != nil {
		if pod.chain.pods--; pod.chain.pods == 0 {
			delete(p.chains, pod.chain.uid)
		}
	}
	return p.append(ctx, pod)
}

// complete ends the pods that were not seen since begin.
func (p *pods) complete(ctx context.Context) error {
	for _, pod := range p.live {
		if pod.list == p.list {
			continue
		}
		if err := p.end(ctx, pod); err != nil {
			return err
		}
	}
	return nil
}

func (p *pods) append(ctx context.Context, pod *livePod) error {
	entry := pod.Pod
	return p.t.append(ctx, &entry)
}
