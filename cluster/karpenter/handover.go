package karpenter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	karpscheduling "sigs.k8s.io/karpenter/pkg/controllers/provisioning/scheduling"
	"sigs.k8s.io/karpenter/pkg/scheduling"

	"simkube.io/simkube/internal/words"
)

// Handover hands nodes that another autoscaler has made over to node pools. The zero value can be
// set in Options; it has an effect once the component is ready.
type Handover struct {
	client client.Client
	// reader reads past the cache.
	reader   client.Reader
	provider *provider
}

const (
	// handoverTime bounds how long Karpenter takes to register the nodes.
	handoverTime = 2 * time.Minute
	handoverPoll = 100 * time.Millisecond
	// maxHandedNames is how many nodes a note names.
	maxHandedNames = 3
)

// Take hands nodes over. Each becomes an instance of its type, of the pool that its label
// karpenter.sh/nodepool names; if it names none that exists and all is set, of the first pool that
// allows it, in the order of their weights. Take returns when Karpenter has registered them, so
// that pods can run there. It returns the other nodes, which it has not created, and notes about
// both. It must not be called twice with one node.
func (h *Handover) Take(ctx context.Context, nodes []*corev1.Node, all bool) (rest []*corev1.Node, notes []string, err error) {
	pools := &v1.NodePoolList{}
	if err := h.reader.List(ctx, pools); err != nil {
		return nil, nil, fmt.Errorf("list node pools: %w", err)
	}
	slices.SortFunc(pools.Items, func(a, b v1.NodePool) int {
		return cmp.Or(-cmp.Compare(weight(a), weight(b)), cmp.Compare(a.Name, b.Name))
	})
	taken, refused := map[string][]string{}, map[string][]string{}
	var claims []*v1.NodeClaim
	for _, node := range nodes {
		pool, o, reason := h.match(node, pools.Items, all)
		if pool == nil {
			if rest = append(rest, node); reason != "" {
				refused[reason] = append(refused[reason], node.Name)
			}
			continue
		}
		claim := handedClaim(pool, node, o)
		h.provider.expect(node, o)
		if err := h.client.Create(ctx, claim); err != nil {
			return nil, nil, fmt.Errorf("hand node %s over to node pool %s: %w", node.Name, pool.Name, err)
		}
		claims = append(claims, claim)
		taken[pool.Name] = append(taken[pool.Name], node.Name)
	}
	for _, pool := range slices.Sorted(maps.Keys(taken)) {
		notes = append(notes, fmt.Sprintf("%s handed over to node pool %s", words.Count(len(taken[pool]), "node"), pool))
	}
	for _, reason := range slices.Sorted(maps.Keys(refused)) {
		names := refused[reason]
		notes = append(notes, fmt.Sprintf("%s not handed over, and not removed by Karpenter: %s: %s",
			words.Count(len(names), "node"), reason, words.First(maxHandedNames, names...)))
	}
	return rest, notes, h.await(ctx, claims)
}

func weight(p v1.NodePool) int32 {
	if p.Spec.Weight == nil {
		return 0
	}
	return *p.Spec.Weight
}

// match returns the pool that gets a node, and its offer, or why none does. There is no reason if
// the node need not be handed over.
func (h *Handover) match(node *corev1.Node, pools []v1.NodePool, all bool) (*v1.NodePool, offer, string) {
	named := slices.IndexFunc(pools, func(p v1.NodePool) bool { return p.Name == node.Labels[v1.NodePoolLabelKey] })
	if named < 0 && !all {
		return nil, offer{}, ""
	}
	o, reason := h.offerOf(node)
	if reason != "" {
		return nil, offer{}, reason
	}
	if named >= 0 {
		return &pools[named], o, ""
	}
	for i := range pools {
		requirements := required(&pools[i])
		if o.kind.Requirements.Intersects(requirements) == nil && requirements.IsCompatible(o.offering.Requirements, scheduling.AllowUndefinedWellKnownLabels) {
			return &pools[i], o, ""
		}
	}
	return nil, offer{}, "no node pool allows such a node"
}

// offerOf returns the instance that a node is, or why there is none.
func (h *Handover) offerOf(node *corev1.Node) (offer, string) {
	name := node.Labels[corev1.LabelInstanceTypeStable]
	if name == "" {
		return offer{}, "the label " + corev1.LabelInstanceTypeStable + " is missing"
	}
	types := h.provider.avoided.all
	i := slices.IndexFunc(types, func(t *cloudprovider.InstanceType) bool { return t.Name == name })
	if i < 0 {
		return offer{}, "instance type " + name + " is not on the list"
	}
	zone := node.Labels[corev1.LabelTopologyZone]
	capacityType := cmp.Or(node.Labels[v1.CapacityTypeLabelKey], v1.CapacityTypeOnDemand)
	for _, o := range types[i].Offerings {
		if o.Zone() == zone && o.CapacityType() == capacityType {
			return offer{types[i], o}, ""
		}
	}
	return offer{}, fmt.Sprintf("instance type %s has no offering %s in zone %q", name, capacityType, zone)
}

// handedClaim returns the claim of a node of a pool, as Karpenter makes it for an instance that it
// launches.
func handedClaim(pool *v1.NodePool, node *corev1.Node, o offer) *v1.NodeClaim {
	template := karpscheduling.NewNodeClaimTemplate(pool)
	template.InstanceTypeOptions = cloudprovider.InstanceTypes{o.kind}
	// A node that does not meet a requirement of its pool has drifted. That is for Karpenter to find
	// out, so the claim says what the node is, not what the pool requires.
	for _, r := range []*scheduling.Requirement{
		scheduling.NewRequirement(corev1.LabelInstanceTypeStable, corev1.NodeSelectorOpIn, o.kind.Name),
		scheduling.NewRequirement(corev1.LabelTopologyZone, corev1.NodeSelectorOpIn, o.offering.Zone()),
		scheduling.NewRequirement(v1.CapacityTypeLabelKey, corev1.NodeSelectorOpIn, o.offering.CapacityType()),
	} {
		template.Requirements[r.Key] = r
	}
	claim := template.ToNodeClaim()
	claim.GenerateName, claim.Name = "", node.Name
	// The node has started long ago.
	claim.Spec.StartupTaints = nil
	return claim
}

// await waits until Karpenter has registered and initialized the nodes of the claims.
func (h *Handover) await(ctx context.Context, claims []*v1.NodeClaim) error {
	waiting := claims
	err := wait.PollUntilContextTimeout(ctx, handoverPoll, handoverTime, true, func(ctx context.Context) (bool, error) {
		var left []*v1.NodeClaim
		for _, claim := range waiting {
			now := &v1.NodeClaim{}
			if err := h.client.Get(ctx, client.ObjectKeyFromObject(claim), now); client.IgnoreNotFound(err) != nil {
				return false, err
			} else if apierrors.IsNotFound(err) || !now.StatusConditions().IsTrue(v1.ConditionTypeInitialized) {
				left = append(left, claim)
			}
		}
		waiting = left
		return len(left) == 0, nil
	})
	if err == nil {
		return nil
	}
	if ctx.Err() == nil && wait.Interrupted(err) {
		err = errors.New("Karpenter has not registered them in " + handoverTime.String())
	}
	names := make([]string, 0, len(waiting))
	for _, claim := range waiting {
		names = append(names, claim.Name)
	}
	return fmt.Errorf("hand %s over: %s: %w", words.Count(len(waiting), "node"), words.First(maxHandedNames, names...), err)
}
