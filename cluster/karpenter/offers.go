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

// offer is an instance type with its cheapest offering.
type offer struct {
	kind     *cloudprovider.InstanceType
	offering *cloudprovider.Offering
}

// offers returns the instance types that a claim allows, the cheapest first.
func (p *provider) offers(claim *v1.NodeClaim) []offer {
	requirements := scheduling.NewNodeSelectorRequirementsWithMinValues(claim.Spec.Requirements...)
	names := requirements.Get(corev1.LabelInstanceTypeStable)
	var out []offer
	for _, t := range p.types {
		if !names.Has(t.Name) || t.Requirements.Intersects(requirements) != nil || !resources.Fits(claim.Spec.Resources.Requests, t.Allocatable()) {
			continue
		}
		var cheapest *cloudprovider.Offering
		for _, o := range t.Offerings.Available().Compatible(requirements) {
			if cheapest == nil || o.Price < cheapest.Price {
				cheapest = o
			}
		}
		if cheapest != nil {
			out = append(out, offer{t, cheapest})
		}
	}
	// With one price the order is that of the list, so that the same claim has the same instance.
	slices.SortStableFunc(out, func(a, b offer) int { return cmp.Compare(a.offering.Price, b.offering.Price) })
	return out
}

func typeNames(offers []offer) []string {
	out := make([]string, 0, len(offers))
	for _, o := range offers {
		out = append(out, o.kind.Name)
	}
	return out
}
