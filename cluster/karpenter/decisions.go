package karpenter

import (
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/controllers/disruption"
	"sigs.k8s.io/karpenter/pkg/events"

	"simkube.io/simkube/internal/results"
)

// Reasons of decisions, beside those that Karpenter has for disruption.
const (
	reasonProvisioned = "Provisioned"
	reasonExpired     = "Expired"
	reasonInterrupted = "Interrupted"
	reasonDeleted     = "Deleted"
	reasonBudget      = "Budget"
)

// maxAlternatives is how many other instance types a decision names.
const maxAlternatives = 10

// decisions passes on what Karpenter decides, and why. It is safe for concurrent use.
type decisions struct {
	clock  clock.PassiveClock
	report func(results.Decision)

	mu sync.Mutex
	// removing are the claims that are being removed, by a decision that was recorded.
	removing map[string]bool
	// planned is when a pod was first meant for a claim.
	planned map[string]time.Time
	// said is the last message about an object.
	said map[string]saying
}

type saying struct {
	message string
	at      time.Time
}

func newDecisions(c clock.PassiveClock, report func(results.Decision)) *decisions {
	if report == nil {
		report = func(results.Decision) {}
	}
	return &decisions{clock: c, report: report, removing: map[string]bool{}, planned: map[string]time.Time{}, said: map[string]saying{}}
}

// command records a command of the disruption controller.
func (d *decisions) command(c disruption.Command) {
	out := results.Decision{
		Time: d.clock.Now(), Kind: results.Removed, Reason: string(c.Reason()), Nodes: c.SourceNodeNames(),
		SavedPerHour: c.EstimatedSavings(), PodCount: movedPods(c),
	}
	slices.Sort(out.Nodes)
	for _, r := range c.Replacements {
		out.Kind = results.Replaced
		out.Replacements = append(out.Replacements, r.Name)
		for _, t := range r.InstanceTypeOptions {
			if len(out.Alternatives) < maxAlternatives && !slices.Contains(out.Alternatives, t.Name) {
				out.Alternatives = append(out.Alternatives, t.Name)
			}
		}
	}
	d.mu.Lock()
	for _, candidate := range c.Candidates {
		out.NodePool = candidate.NodePool.Name
		d.removing[candidate.NodeClaim.Name] = true
	}
	d.mu.Unlock()
	d.report(out)
}

// movedPods returns how many pods a command moves. Karpenter has the number only for its log.
func movedPods(c disruption.Command) int {
	values := c.LogValues()
	if i := slices.Index(values, any("pod-count")); i >= 0 && i+1 < len(values) {
		n, _ := values[i+1].(int)
		return n
	}
	return 0
}

// launched records that an instance was launched for a claim. Others are the other types that the
// claim allows, the cheapest first.
func (d *decisions) launched(claim *v1.NodeClaim, o offer, others []string) {
	d.report(results.Decision{
		Time: d.clock.Now(), Kind: results.Launched, Reason: reasonProvisioned, Nodes: []string{claim.Name},
		NodePool: claim.Labels[v1.NodePoolLabelKey], InstanceType: o.kind.Name, CapacityType: o.offering.CapacityType(),
		Zone: o.offering.Zone(), PricePerHour: o.offering.Price, Alternatives: others,
	})
}

// noCapacity records that no instance could be launched for a claim.
func (d *decisions) noCapacity(claim *v1.NodeClaim, err error) {
	d.report(results.Decision{
		Time: d.clock.Now(), Kind: results.NoCapacity, Nodes: []string{claim.Name}, NodePool: claim.Labels[v1.NodePoolLabelKey], Message: err.Error(),
	})
	// Karpenter deletes the claim.
	d.forget(claim.Name)
}

// interrupted records that the cloud takes an instance back.
func (d *decisions) interrupted(claim *v1.NodeClaim) {
	recorded := d.remove(claim.Name)
	now, nodes, pool := d.clock.Now(), []string{claim.Name}, claim.Labels[v1.NodePoolLabelKey]
	d.report(results.Decision{Time: now, Kind: results.Interrupted, Reason: reasonInterrupted, Nodes: nodes, NodePool: pool})
	if !recorded {
		d.report(results.Decision{Time: now, Kind: results.Removed, Reason: reasonInterrupted, Nodes: nodes, NodePool: pool})
	}
}

// remove notes that a claim is being removed, and reports whether that was known.
func (d *decisions) remove(claim string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.removing[claim]
	d.removing[claim] = true
	return known
}

// forget forgets a claim whose instance is gone, or that has none.
func (d *decisions) forget(claim string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.removing, claim)
	delete(d.planned, claim)
	delete(d.said, "node/"+claim)
}

// terminated records that the instance of a claim is stopped, if the decision for that has not been
// recorded.
func (d *decisions) terminated(claim *v1.NodeClaim) {
	if d.remove(claim.Name) {
		return
	}
	at := d.clock.Now()
	if !claim.DeletionTimestamp.IsZero() {
		at = claim.DeletionTimestamp.Time
	}
	reason := reasonDeleted
	if after := claim.Spec.ExpireAfter.Duration; after != nil && at.Sub(claim.CreationTimestamp.Time) >= *after {
		reason = reasonExpired
	}
	d.report(results.Decision{
		Time: at, Kind: results.Removed, Reason: reason, Nodes: []string{claim.Name}, NodePool: claim.Labels[v1.NodePoolLabelKey],
	})
}

// event records what an event of Karpenter says: for which pods a node is launched, why a pod has
// none, and why a node is kept.
func (d *decisions) event(e events.Event) {
	switch object := e.InvolvedObject.(type) {
	case *corev1.Pod:
		d.podEvent(object, e)
	case *corev1.Node:
		if e.Reason != events.DisruptionBlocked && e.Reason != events.Unconsolidatable || d.removes(object.Name) || !d.news("node/"+object.Name, e.Message) {
			return
		}
		d.report(results.Decision{
			Time: d.clock.Now(), Kind: results.Kept, Reason: e.Reason, Nodes: []string{object.Name},
			NodePool: object.Labels[v1.NodePoolLabelKey], Message: e.Message,
		})
	case *v1.NodePool:
		if e.Reason != events.DisruptionBlocked || !d.news("pool/"+object.Name, e.Message) {
			return
		}
		d.report(results.Decision{Time: d.clock.Now(), Kind: results.Kept, Reason: reasonBudget, NodePool: object.Name, Message: e.Message})
	}
}

// removes reports whether a node is being removed: Karpenter says of such a node too that it is
// kept.
func (d *decisions) removes(node string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.removing[node]
}

// planTime is how long after the first pod others count as those that a node was launched for.
// Karpenter plans at least a second later again, and then nominates pods for nodes on their way.
const planTime = 500 * time.Millisecond

// plans reports whether a pod that is nominated for a claim now is one that it was made for.
func (d *decisions) plans(claim string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock.Now()
	first, ok := d.planned[claim]
	if !ok {
		d.planned[claim] = now
	}
	return !ok || now.Sub(first) < planTime
}

func (d *decisions) podEvent(pod *corev1.Pod, e events.Event) {
	name := pod.Namespace + "/" + pod.Name
	key := "pod/" + string(pod.UID)
	switch e.Reason {
	case events.Nominated:
		d.mu.Lock()
		delete(d.said, key)
		d.mu.Unlock()
		// A node that exists was not launched for this pod.
		if _, claim, ok := strings.Cut(e.Message, "nodeclaim/"); ok && !strings.Contains(claim, "node/") && d.plans(claim) {
			d.report(results.Decision{Time: d.clock.Now(), Kind: results.Meant, Nodes: []string{claim}, Pods: []string{name}})
		}
	case events.FailedScheduling:
		if d.news(key, e.Message) {
			d.report(results.Decision{
				Time: d.clock.Now(), Kind: results.NoNode, Pods: []string{name}, PodCount: 1,
				Message: strings.TrimPrefix(e.Message, "Failed to schedule pod, "),
			})
		}
	}
}

// forgetAfter is how long a message is remembered that was not repeated, and maxSaid how many are
// remembered before old ones are looked for.
const (
	forgetAfter = time.Hour
	maxSaid     = 10_000
)

// news reports whether a message about an object differs from the last one.
func (d *decisions) news(object, message string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock.Now()
	last, ok := d.said[object]
	if len(d.said) >= maxSaid && !ok {
		for key, s := range d.said {
			if now.Sub(s.at) >= forgetAfter {
				delete(d.said, key)
			}
		}
	}
	d.said[object] = saying{message, now}
	return !ok || last.message != message
}
