package karpenter

import (
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
)

// notice is how long before the cloud takes an instance back it says so. It is that of AWS for spot
// instances.
const notice = 2 * time.Minute

// interruption returns when the cloud announces that it takes an instance back, in trace time from
// its launch, and whether it does. Every rule draws, so that the draws of others do not depend on
// it.
func (s *NodeClassSpec) interruption(o offer, elapsed time.Duration, r random) (time.Duration, bool) {
	first := time.Duration(math.MaxInt64)
	for _, rule := range s.Interruptions {
		u := r.r.Float64()
		if !rule.selects(o) {
			continue
		}
		switch {
		case rule.PerHour > 0:
			hours := -math.Log(1-u) / rule.PerHour
			if hours < float64(math.MaxInt64)/float64(time.Hour) {
				first = min(first, time.Duration(hours*float64(time.Hour)))
			}
		case u < rule.Share && max(0, rule.At.Duration-notice) >= elapsed:
			first = min(first, max(0, rule.At.Duration-notice)-elapsed)
		}
	}
	return first, first < math.MaxInt64
}

// interruptAt interrupts an instance once so much of the trace has passed. That is later than its
// timer if the instance was handed over before the trace began.
func (p *provider) interruptAt(i *instance, due time.Duration) {
	p.mu.Lock()
	early := due - p.opts.Elapsed(p.opts.Clock.Now())
	here := p.instances[i.claim.Status.ProviderID] == i && i.terminating.IsZero()
	if here && early > 0 {
		p.after(i, early, func() { p.interruptAt(i, due) })
	}
	p.mu.Unlock()
	if here && early <= 0 {
		p.interrupt(i)
	}
}

// interrupt announces that the cloud takes an instance back. What handles that in a cluster deletes
// the claim, so that Karpenter drains the node.
func (p *provider) interrupt(i *instance) {
	claim := &v1.NodeClaim{ObjectMeta: metav1.ObjectMeta{Name: i.claim.Name}}
	p.decisions.interrupted(i.claim)
	p.logError(client.IgnoreNotFound(p.client.Delete(p.ctx, claim)), "the claim of an interrupted instance was not deleted", i)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after(i, notice, func() { p.reclaim(i) })
}

// reclaim takes an instance back. Pods that are still on it are gone with it.
func (p *provider) reclaim(i *instance) {
	p.mu.Lock()
	id := i.claim.Status.ProviderID
	here := p.instances[id] == i
	if here {
		p.end(id)
	}
	p.mu.Unlock()
	if !here {
		return
	}
	pods := &corev1.PodList{}
	if err := p.client.List(p.ctx, pods, client.MatchingFields{"spec.nodeName": i.claim.Name}); err != nil {
		p.logError(err, "the pods of an interrupted instance were not found", i)
		return
	}
	for n := range pods.Items {
		pod := &pods.Items[n]
		err := p.client.Delete(p.ctx, pod, client.GracePeriodSeconds(0), client.Preconditions{UID: &pod.UID})
		if !apierrors.IsConflict(err) {
			p.logError(client.IgnoreNotFound(err), "a pod of an interrupted instance was not deleted", i)
		}
	}
}

func (p *provider) logError(err error, what string, i *instance) {
	if err != nil && p.ctx.Err() == nil {
		p.log.Error(err, what, "node", i.claim.Name)
	}
}
