package karpenter

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"
	"sigs.k8s.io/karpenter/pkg/utils/resources"
)

// offer is an instance type in a zone and of a capacity type.
type offer struct {
	kind     *cloudprovider.InstanceType
	offering *cloudprovider.Offering
}

// offers returns the instances of a list that a claim allows, the cheapest first.
func offers(types []*cloudprovider.InstanceType, claim *v1.NodeClaim) []offer {
	requirements := scheduling.NewNodeSelectorRequirementsWithMinValues(claim.Spec.Requirements...)
	names := requirements.Get(corev1.LabelInstanceTypeStable)
	var out []offer
	for _, t := range types {
		if !names.Has(t.Name) || t.Requirements.Intersects(requirements) != nil || !resources.Fits(claim.Spec.Resources.Requests, t.Allocatable()) {
			continue
		}
		for _, o := range t.Offerings.Available().Compatible(requirements) {
			out = append(out, offer{t, o})
		}
	}
	// With one price the order is that of the list, so that the same claim has the same instance.
	slices.SortStableFunc(out, func(a, b offer) int { return cmp.Compare(a.offering.Price, b.offering.Price) })
	return out
}

// otherTypes returns the names of the instance types of offers, but for that of chosen.
func otherTypes(offers []offer, chosen offer) []string {
	var out []string
	for _, o := range offers {
		if o.kind != chosen.kind && !slices.Contains(out, o.kind.Name) {
			out = append(out, o.kind.Name)
		}
		if len(out) == maxAlternatives {
			break
		}
	}
	return out
}
