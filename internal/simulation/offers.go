package simulation

import (
	"fmt"
	"os"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/instancetypes"
	"simkube.io/simkube/internal/packing"
)

// offers returns the instances that the autoscaler can choose from, by which results judge what the
// nodes cost. It returns none if the prices are not known, because a NodeOverlay may change them.
// Errors are only about the list: what reads the node pools for the autoscaler says what is wrong
// with them.
func (a *Autoscaler) offers() ([]packing.Offer, error) {
	list, err := instancetypes.Open(a.InstanceTypes)
	if err != nil {
		return nil, fmt.Errorf("read instance types: %w", err)
	}
	pools := defaultPool()
	if a.NodePools != "" {
		data, err := os.ReadFile(a.NodePools)
		if err != nil {
			return nil, nil
		}
		var known bool
		if pools, known = parsePools(data); !known {
			return nil, nil
		}
	}
	return offersOf(list, pools), nil
}

// offersOf returns an offer for each type that is available and that a pool allows, at the lowest
// price of the offerings of which both are true.
func offersOf(list *instancetypes.List, pools []nodePool) []packing.Offer {
	var out []packing.Offer
	for i := range list.Types {
		t := &list.Types[i]
		price, found := 0.0, false
		for j := range t.Offerings {
			o := &t.Offerings[j]
			allowed := slices.ContainsFunc(pools, func(p nodePool) bool { return p.allows(t, o) })
			if o.Available && allowed && (!found || o.Price < price) {
				price, found = o.Price, true
			}
		}
		if found {
			out = append(out, packing.Offer{Allocatable: allocatable(t), Price: price})
		}
	}
	return out
}

// allocatable returns the capacity of a type without the overhead, rounded up.
func allocatable(t *instancetypes.Type) map[string]float64 {
	out := map[string]float64{}
	for name, capacity := range t.Capacity {
		left := capacity.DeepCopy()
		left.Sub(t.Overhead[name])
		amount := float64(left.Value())
		if name == corev1.ResourceCPU {
			amount = float64(left.MilliValue()) / 1000
		}
		out[string(name)] = max(0, amount)
	}
	return out
}

// labelsOf returns the labels of a node of a type that requirements of pools can be about.
func labelsOf(t *instancetypes.Type, o *instancetypes.Offering) map[string]string {
	labels := map[string]string{
		corev1.LabelInstanceTypeStable: t.Name,
		corev1.LabelArchStable:         t.Architecture,
		corev1.LabelOSStable:           t.OperatingSystem,
		corev1.LabelTopologyZone:       o.Zone,
		labelCapacityType:              o.CapacityType,
	}
	for key, value := range t.Labels {
		labels[key] = value
	}
	return labels
}
