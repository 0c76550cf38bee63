package instancetypes

import (
	"cmp"
	"maps"
	"math"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
)

// Query says which types of a list are wanted. Its zero value is for all of them.
type Query struct {
	// Name is a pattern as of path.Match.
	Name string
	// Architectures, CapacityTypes and Zones are alternatives; empty means any.
	Architectures, CapacityTypes, Zones []string
	// Min and Max are bounds of the capacity. A resource that a type does not have is 0.
	Min, Max corev1.ResourceList
	// GPUs is how many GPUs a type must have, of any manufacturer.
	GPUs int64
	// Labels selects types by the labels that their nodes have, also those for the name, the
	// architecture and the operating system. Nil selects all.
	Labels labels.Selector
	// MaxPrice is in US dollars per hour. Nil means any.
	MaxPrice *float64
}

// Select returns the types of a list that a query is for, in the same order. They have only the
// offerings that fit the query.
func (l *List) Select(q *Query) *List {
	out := &List{}
	for _, t := range l.Types {
		if !q.fits(&t) {
			continue
		}
		t.Offerings = slices.DeleteFunc(slices.Clone(t.Offerings), func(o Offering) bool { return !q.offers(o) })
		if len(t.Offerings) > 0 {
			out.Types = append(out.Types, t)
		}
	}
	return out
}

func (q *Query) fits(t *Type) bool {
	if matched, err := path.Match(q.Name, t.Name); q.Name != "" && (err != nil || !matched) {
		return false
	}
	if len(q.Architectures) > 0 && !slices.Contains(q.Architectures, t.Architecture) {
		return false
	}
	for name, bound := range q.Min {
		if amount := t.Capacity[name]; amount.Cmp(bound) < 0 {
			return false
		}
	}
	for name, bound := range q.Max {
		if amount := t.Capacity[name]; amount.Cmp(bound) > 0 {
			return false
		}
	}
	return t.GPUs() >= q.GPUs && (q.Labels == nil || q.Labels.Matches(t.nodeLabels()))
}

func (q *Query) offers(o Offering) bool {
	return (len(q.CapacityTypes) == 0 || slices.Contains(q.CapacityTypes, o.CapacityType)) &&
		(len(q.Zones) == 0 || slices.Contains(q.Zones, o.Zone)) &&
		(q.MaxPrice == nil || o.Price <= *q.MaxPrice)
}

// nodeLabels returns the labels that nodes of a type have in all zones.
func (t *Type) nodeLabels() labels.Set {
	return labels.Merge(t.Labels, labels.Set{
		corev1.LabelInstanceTypeStable: t.Name,
		corev1.LabelArchStable:         t.Architecture,
		corev1.LabelOSStable:           t.OperatingSystem,
	})
}

// GPUs returns the number of GPUs: of the resources with a name such as nvidia.com/gpu.
func (t *Type) GPUs() int64 {
	var n int64
	for name, q := range t.Capacity {
		if strings.HasSuffix(string(name), "/gpu") {
			n += q.Value()
		}
	}
	return n
}

// Allocatable returns how much of a resource pods can have.
func (t *Type) Allocatable(name corev1.ResourceName) resource.Quantity {
	q := t.Capacity[name].DeepCopy()
	q.Sub(t.Overhead[name])
	return q
}

// Price returns the lowest price of a capacity type, or NaN if the type has no such offering.
func (t *Type) Price(capacityType string) float64 {
	lowest := math.NaN()
	for _, o := range t.Offerings {
		if o.CapacityType == capacityType && !(o.Price >= lowest) {
			lowest = o.Price
		}
	}
	return lowest
}

// Lowest returns the price on demand, or that of spot instances if there are no others.
func (t *Type) Lowest() float64 {
	if p := t.Price(OnDemand); !math.IsNaN(p) {
		return p
	}
	return t.Price(Spot)
}

// PerCPU returns the price divided by the number of CPUs.
func (t *Type) PerCPU(price float64) float64 {
	return price / t.Capacity.Cpu().AsApproximateFloat64()
}

// The orders of types.
const (
	ByName     = "name"
	ByCPU      = "cpu"
	ByMemory   = "memory"
	ByPrice    = "price"
	ByCPUPrice = "cpu-price"
)

// Orders returns the orders of types.
func Orders() []string { return []string{ByName, ByCPU, ByMemory, ByPrice, ByCPUPrice} }

// Sort sorts the types by one of the orders, upwards. Those that are equal stay in their order.
func (l *List) Sort(order string) {
	slices.SortStableFunc(l.Types, func(a, b Type) int {
		switch order {
		case ByCPU:
			return a.Capacity.Cpu().Cmp(*b.Capacity.Cpu())
		case ByMemory:
			return a.Capacity.Memory().Cmp(*b.Capacity.Memory())
		case ByPrice:
			return cmp.Compare(a.Lowest(), b.Lowest())
		case ByCPUPrice:
			return cmp.Compare(a.PerCPU(a.Lowest()), b.PerCPU(b.Lowest()))
		default:
			return cmp.Compare(a.Name, b.Name)
		}
	})
}

// Zones returns the zones of a type, in their order.
func (t *Type) Zones() []string {
	var out []string
	for _, o := range t.Offerings {
		if !slices.Contains(out, o.Zone) {
			out = append(out, o.Zone)
		}
	}
	return out
}

// Zones returns the zones that types are in, sorted.
func (l *List) Zones() []string { return l.all((*Type).Zones) }

// Architectures returns the architectures of the types, sorted.
func (l *List) Architectures() []string {
	return l.all(func(t *Type) []string { return []string{t.Architecture} })
}

// Resources returns the names of what the types have, sorted.
func (l *List) Resources() []string {
	return l.all(func(t *Type) []string {
		var out []string
		for name := range t.Capacity {
			out = append(out, string(name))
		}
		return out
	})
}

// all returns the different values that types have, sorted.
func (l *List) all(of func(*Type) []string) []string {
	seen := map[string]bool{}
	for i := range l.Types {
		for _, value := range of(&l.Types[i]) {
			seen[value] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
