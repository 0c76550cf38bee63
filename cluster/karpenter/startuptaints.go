package karpenter

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
)

// ready removes the startup taints of a node, once Karpenter has registered it.
func (p *provider) ready(i *instance, taints []corev1.Taint, delay time.Duration) {
	node := &corev1.Node{}
	err := p.client.Get(p.ctx, client.ObjectKey{Name: i.claim.Name}, node)
	registered := err == nil && node.Labels[v1.NodeRegisteredLabelKey] == "true"
	if registered && delay == 0 {
		stored := node.DeepCopy()
		node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(t corev1.Taint) bool {
			return slices.ContainsFunc(taints, func(startup corev1.Taint) bool { return startup.MatchTaint(&t) })
		})
		err = p.client.Patch(p.ctx, node, client.MergeFromWithOptions(stored, client.MergeFromWithOptimisticLock{}))
		if err == nil {
			return
		}
	}
	if err != nil && !apierrors.IsConflict(err) {
		p.logError(client.IgnoreNotFound(err), "startup taints were not removed", i)
	}
	again := time.Second
	if registered {
		again, delay = max(delay, again), 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.instances[i.claim.Status.ProviderID] == i {
		p.after(i, again, func() { p.ready(i, taints, delay) })
	}
}
