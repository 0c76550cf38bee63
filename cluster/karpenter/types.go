package karpenter

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"

	"simkube.io/simkube/internal/instancetypes"
)

// convertTypes returns instance types as Karpenter has them. Their labels become known to it, so
// that pools and pods can require them.
func convertTypes(list *instancetypes.List) ([]*cloudprovider.InstanceType, error) {
	if list == nil || len(list.Types) == 0 {
		return nil, fmt.Errorf("there are no instance types")
	}
	out := make([]*cloudprovider.InstanceType, 0, len(list.Types))
	for i := range list.Types {
		out = append(out, convertType(&list.Types[i]))
	}
	// Karpenter sorts them whenever it plans, which is faster if they are sorted.
	slices.SortStableFunc(out, func(a, b *cloudprovider.InstanceType) int { return cmp.Compare(lowestPrice(a), lowestPrice(b)) })
	return out, nil
}

// lowestPrice returns the price of the cheapest offering of a type, or infinity if it has none.
func lowestPrice(t *cloudprovider.InstanceType) float64 {
	price := math.Inf(1)
	for _, o := range t.Offerings {
		price = min(price, o.Price)
	}
	return price
}

func convertType(t *instancetypes.Type) *cloudprovider.InstanceType {
	in := func(key string, values ...string) *scheduling.Requirement {
		return scheduling.NewRequirement(key, corev1.NodeSelectorOpIn, values...)
	}
	var zones, capacityTypes []string
	var offerings cloudprovider.Offerings
	for _, o := range t.Offerings {
		zones, capacityTypes = append(zones, o.Zone), append(capacityTypes, o.CapacityType)
		offerings = append(offerings, &cloudprovider.Offering{
			Requirements: scheduling.NewRequirements(in(corev1.LabelTopologyZone, o.Zone), in(v1.CapacityTypeLabelKey, o.CapacityType)),
			Price:        o.Price,
			Available:    o.Available,
		})
	}
	requirements := scheduling.NewRequirements(
		in(corev1.LabelInstanceTypeStable, t.Name),
		in(corev1.LabelArchStable, t.Architecture),
		in(corev1.LabelOSStable, t.OperatingSystem),
		in(corev1.LabelTopologyZone, unique(zones)...),
		in(v1.CapacityTypeLabelKey, unique(capacityTypes)...),
	)
	for key, value := range t.Labels {
		requirements.Add(in(key, value))
	}
	return &cloudprovider.InstanceType{
		Name:         t.Name,
		Requirements: requirements,
		Offerings:    offerings,
		Capacity:     t.Capacity,
		Overhead:     &cloudprovider.InstanceTypeOverhead{KubeReserved: t.Overhead},
	}
}

func unique(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}

// learnLabels makes the labels of types known to Karpenter, so that pools and pods can require
// them. Its list of labels is global.
func learnLabels(list *instancetypes.List) {
	for i := range list.Types {
		for key := range list.Types[i].Labels {
			v1.WellKnownLabels.Insert(key)
		}
	}
}

// startups returns the delays of the types that have some of their own.
func startups(list *instancetypes.List) map[string]Delay {
	out := map[string]Delay{}
	for i := range list.Types {
		if s := list.Types[i].Startup; s.Median > 0 {
			out[list.Types[i].Name] = Delay{Median: metav1.Duration{Duration: s.Median}, P99: metav1.Duration{Duration: s.P99}}
		}
	}
	return out
}
