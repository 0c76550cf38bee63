package karpenter

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	karpscheduling "sigs.k8s.io/karpenter/pkg/controllers/provisioning/scheduling"
	"sigs.k8s.io/karpenter/pkg/scheduling"
)

// matcher finds the pools of nodes that are handed over.
type matcher struct {
	types []*cloudprovider.InstanceType
	// pools are in the order in which Karpenter tries them.
	pools []v1.NodePool
	// all says that nodes that name no pool get one too.
	all bool
}

// match is a node with its pool and its instance. Without a pool, it is not handed over.
type match struct {
	node  *corev1.Node
	pool  *v1.NodePool
	offer offer
	// labels are those of the node, with those of its instance.
	labels map[string]string
}

// match returns the pool that gets a node and the instance that it is, or why no pool gets it.
// There is no reason if the node need not be handed over.
func (m *matcher) match(node *corev1.Node) (match, refusal) {
	named := slices.IndexFunc(m.pools, func(p v1.NodePool) bool { return p.Name == node.Labels[v1.NodePoolLabelKey] })
	if named < 0 && !m.all {
		return match{}, refusal{}
	}
	o, why := m.offerOf(node)
	if why.what != "" {
		return match{}, why
	}
	found := match{node: node, offer: o, labels: maps.Clone(node.Labels)}
	setLabels(found.labels, o)
	if named >= 0 {
		found.pool = &m.pools[named]
		return found, refusal{}
	}
	var detail string
	for i := range m.pools {
		if detail = found.excludedBy(&m.pools[i]); detail == "" {
			found.pool = &m.pools[i]
			return found, refusal{}
		}
	}
	if len(m.pools) > 1 {
		return match{}, refusal{"no node pool allows such a node", ""}
	}
	return match{}, refusal{"node pool " + m.pools[0].Name + " does not allow such a node", detail}
}

// offerOf returns the instance that a node is, or why there is none.
func (m *matcher) offerOf(node *corev1.Node) (offer, refusal) {
	name := node.Labels[corev1.LabelInstanceTypeStable]
	if name == "" {
		return offer{}, refusal{"the label " + corev1.LabelInstanceTypeStable + " is missing", ""}
	}
	i := slices.IndexFunc(m.types, func(t *cloudprovider.InstanceType) bool { return t.Name == name })
	if i < 0 {
		return offer{}, refusal{"the instance type is not on the list", name}
	}
	zone := node.Labels[corev1.LabelTopologyZone]
	capacityType := cmp.Or(node.Labels[v1.CapacityTypeLabelKey], v1.CapacityTypeOnDemand)
	for _, o := range m.types[i].Offerings {
		if o.Zone() == zone && o.CapacityType() == capacityType {
			return offer{m.types[i], o}, refusal{}
		}
	}
	return offer{}, refusal{"the list has no such offering", fmt.Sprintf("%s %s in zone %q", name, capacityType, zone)}
}

// excludedBy returns why a pool does not make such nodes, or "" if it does. A label that the pool
// gives its nodes may be missing; one that it requires, as Karpenter finds drift, may not.
func (m *match) excludedBy(pool *v1.NodePool) string {
	for key, value := range pool.Spec.Template.Labels {
		if has, ok := m.labels[key]; ok && has != value {
			return fmt.Sprintf("its label %s is %q", key, has)
		}
	}
	labels := scheduling.NewLabelRequirements(m.labels)
	for _, r := range slices.SortedFunc(maps.Values(required(pool)), func(a, b *scheduling.Requirement) int { return cmp.Compare(a.Key, b.Key) }) {
		if _, given := pool.Spec.Template.Labels[r.Key]; given || labels.Compatible(scheduling.NewRequirements(r)) == nil {
			continue
		}
		if has, ok := m.labels[r.Key]; ok {
			return fmt.Sprintf("its label %s is %q", r.Key, has)
		}
		return "it has no label " + r.Key
	}
	given := slices.Concat(pool.Spec.Template.Spec.Taints, pool.Spec.Template.Spec.StartupTaints)
	for _, t := range repelling(pool.Spec.Template.Spec.Taints) {
		if !slices.Contains(repelling(m.node.Spec.Taints), t) {
			return "it does not have the taint " + t.ToString()
		}
	}
	for _, t := range repelling(m.node.Spec.Taints) {
		if !slices.Contains(repelling(given), t) {
			return "it has the taint " + t.ToString()
		}
	}
	return ""
}

// repelling returns the taints that keep pods away, but for those that Karpenter adds for a time.
func repelling(taints []corev1.Taint) []corev1.Taint {
	var out []corev1.Taint
	for _, t := range taints {
		if t.Effect != corev1.TaintEffectPreferNoSchedule && !passing(t) {
			out = append(out, corev1.Taint{Key: t.Key, Value: t.Value, Effect: t.Effect})
		}
	}
	return out
}

// passing reports whether a taint is one of a node that is registering or that is disrupted.
func passing(t corev1.Taint) bool {
	return t.MatchTaint(&v1.UnregisteredNoExecuteTaint) || t.MatchTaint(&v1.DisruptedNoScheduleTaint)
}

// existing returns the node without the taints that one has while it starts or is disrupted.
func (m *match) existing() *corev1.Node {
	node := m.node.DeepCopy()
	node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(t corev1.Taint) bool {
		return passing(t) || slices.ContainsFunc(m.pool.Spec.Template.Spec.StartupTaints, func(s corev1.Taint) bool { return s.MatchTaint(&t) })
	})
	return node
}

// claim returns the claim of the node, as Karpenter makes it for an instance that it launches, but
// with what the node is instead of what the pool requires: a node that does not meet a requirement
// of its pool has drifted, and that is for Karpenter to find out.
func (m *match) claim() *v1.NodeClaim {
	template := karpscheduling.NewNodeClaimTemplate(m.pool)
	template.InstanceTypeOptions = cloudprovider.InstanceTypes{m.offer.kind}
	own := []string{
		v1.NodePoolLabelKey, v1.NodeClassLabelKey(m.pool.Spec.Template.Spec.NodeClassRef.GroupKind()),
		v1.NodeRegisteredLabelKey, v1.NodeInitializedLabelKey, // for planning, not of the claim
	}
	labels := map[string]string{}
	for key := range template.Requirements {
		if slices.Contains(own, key) {
			continue
		}
		value, ok := m.labels[key]
		_, given := m.pool.Spec.Template.Labels[key]
		switch {
		case ok:
			template.Requirements[key] = scheduling.NewRequirement(key, corev1.NodeSelectorOpIn, value)
			if !v1.WellKnownLabels.Has(key) {
				labels[key] = value
			}
		case !given:
			delete(template.Requirements, key)
		}
	}
	for _, key := range []string{corev1.LabelInstanceTypeStable, corev1.LabelTopologyZone, v1.CapacityTypeLabelKey} {
		template.Requirements[key] = scheduling.NewRequirement(key, corev1.NodeSelectorOpIn, m.labels[key])
	}
	claim := template.ToNodeClaim()
	claim.GenerateName, claim.Name = "", m.node.Name
	// Karpenter adds it, which is an update less for each node.
	claim.Finalizers = []string{v1.TerminationFinalizer}
	maps.Copy(claim.Labels, labels)
	claim.Spec.Taints = m.existing().Spec.Taints
	// The node has started long ago.
	claim.Spec.StartupTaints = nil
	return claim
}
