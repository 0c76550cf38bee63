package karpenter

import (
	"slices"
	"time"

	"sigs.k8s.io/karpenter/pkg/cloudprovider"
)

// avoidedFor is how long an instance that could not be launched is taken to have no capacity. It is
// that of Karpenter's provider for AWS.
const avoidedFor = 3 * time.Minute

// avoided are the instances that could not be launched lately. Karpenter does not know what
// capacity a cloud has until a launch fails. The provider's lock guards it.
type avoided struct {
	all []*cloudprovider.InstanceType
	// until are when instances count as available again.
	until map[offerKey]time.Time
	// types are all, with what is avoided as unavailable; nil if they must be made again.
	types []*cloudprovider.InstanceType
}

type offerKey struct{ kind, zone, capacityType string }

func keyOf(o offer) offerKey {
	return offerKey{o.kind.Name, o.offering.Zone(), o.offering.CapacityType()}
}

func (a *avoided) add(o offer, until time.Time) {
	if a.until == nil {
		a.until = map[offerKey]time.Time{}
	}
	a.until[keyOf(o)] = until
	a.types = nil
}

// instanceTypes returns the types with the availability that is known now.
func (a *avoided) instanceTypes(now time.Time) []*cloudprovider.InstanceType {
	for key, until := range a.until {
		if !now.Before(until) {
			delete(a.until, key)
			a.types = nil
		}
	}
	if len(a.until) == 0 {
		return a.all
	}
	if a.types == nil {
		for _, t := range a.all {
			a.types = append(a.types, a.typeNow(t))
		}
	}
	return a.types
}

func (a *avoided) typeNow(t *cloudprovider.InstanceType) *cloudprovider.InstanceType {
	unavailable := func(o *cloudprovider.Offering) bool {
		_, ok := a.until[keyOf(offer{t, o})]
		return ok
	}
	if !slices.ContainsFunc(t.Offerings, unavailable) {
		return t
	}
	out := &cloudprovider.InstanceType{Name: t.Name, Requirements: t.Requirements, Capacity: t.Capacity, Overhead: t.Overhead}
	for _, o := range t.Offerings {
		if unavailable(o) {
			o = &cloudprovider.Offering{Requirements: o.Requirements, Price: o.Price}
		}
		out.Offerings = append(out.Offerings, o)
	}
	return out
}

// short reports whether there is no capacity for an instance, so long after the start of the trace.
func (s *NodeClassSpec) short(o offer, elapsed time.Duration) bool {
	return slices.ContainsFunc(s.Shortages, func(s Shortage) bool {
		return s.selects(o) && elapsed >= s.From.Duration && (s.Until.Duration == 0 || elapsed < s.Until.Duration)
	})
}
