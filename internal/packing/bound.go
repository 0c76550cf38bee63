package packing

import (
	"maps"
	"slices"
)

// Offer is a kind of instance that can be had in any number.
type Offer struct {
	// Allocatable is what pods can have of an instance: cores of CPU, bytes, or a count.
	Allocatable map[string]float64
	// Price is in US dollars per hour.
	Price float64
}

// Bound computes lower bounds for one list of offers. Its methods are safe for concurrent use.
//
// The bound is the value of a linear program, in which parts of instances can be had: the smallest
// sum of price[t]*x[t] over the offers t, where x[t] >= 0 and, for each resource r, the sum of
// allocatable[t][r]*x[t] is at least the demand for r. What is computed is its dual: prices
// y[r] >= 0 of a unit of each resource, such that what an instance has is worth no more than the
// instance costs, and the demand is worth as much as possible. The bound is what it is worth.
//
// It is a lower bound for any such prices, also for those that are not the best. Let x[t] be how
// many instances of each offer a packing has. Its cost is the sum of price[t]*x[t]. As no instance
// costs less than what it has is worth, that is at least the sum of y[r]*allocatable[t][r]*x[t]
// over t and r. As the pods fit, the packing has at least the demand of each resource, so that this
// is at least the sum of y[r]*demand[r].
//
// Which prices y are possible does not depend on the demand, so that the bound is the maximum of
// linear functions of the demand. Therefore it is convex and never falls when the demand grows, and
// twice the demand has twice the bound. By Jensen's inequality the bound of the average demand over
// a period is at most the average of the bounds, and may stand for it.
type Bound struct {
	resources []resource
	// rows say what offers have for a dollar, as a part of the most that any has.
	rows [][]float64
}

type resource struct {
	name string
	// perDollar is the most of the resource that an offer has for a dollar per hour.
	perDollar float64
}

// New returns the bound for offers. Amounts and prices must not be negative. A resource that no
// offer has is left out, and so is one that an offer has for nothing: demand for them costs
// nothing.
func New(offers []Offer) *Bound {
	most, free := map[string]float64{}, map[string]bool{}
	for _, o := range offers {
		for name, amount := range o.Allocatable {
			switch {
			case amount <= 0:
			case o.Price <= 0:
				free[name] = true
			default:
				most[name] = max(most[name], amount/o.Price)
			}
		}
	}
	b := &Bound{}
	for _, name := range slices.Sorted(maps.Keys(most)) {
		if !free[name] {
			b.resources = append(b.resources, resource{name, most[name]})
		}
	}
	for _, o := range offers {
		if o.Price > 0 { // others have none of the resources that are left
			row := make([]float64, len(b.resources))
			for i, r := range b.resources {
				row[i] = o.Allocatable[r.name] / o.Price / r.perDollar
			}
			b.add(row)
		}
	}
	return b
}

// add adds a row, unless another has at least as much of everything for a dollar. If that one is
// worth no more than it costs, then so is this one.
func (b *Bound) add(row []float64) {
	if slices.ContainsFunc(b.rows, func(other []float64) bool { return covers(other, row) }) {
		return
	}
	b.rows = append(slices.DeleteFunc(b.rows, func(other []float64) bool { return covers(row, other) }), row)
}

func covers(a, b []float64) bool {
	for i := range a {
		if a[i] < b[i] {
			return false
		}
	}
	return true
}

// PerHour returns the bound for pods that request demand together, in US dollars per hour. Demand
// is in the units of [Offer.Allocatable].
//
// What is left out of the demand makes the bound lower. That should be the pods that run on every
// node: another packing may have fewer nodes, and so fewer of these pods.
func (b *Bound) PerHour(demand map[string]float64) float64 {
	d := make([]float64, len(b.resources))
	largest := 0.0
	for i, r := range b.resources {
		d[i] = max(0, demand[r.name]) / r.perDollar
		largest = max(largest, d[i])
	}
	if largest == 0 {
		return 0
	}
	for i := range d {
		d[i] /= largest
	}
	return dot(b.feasible(b.maximize(d)), d) * largest
}

// feasible returns y, or less if an instance would be worth more than it costs: errors of rounding
// must not raise the bound.
func (b *Bound) feasible(y []float64) []float64 {
	worth := 1.0
	for _, row := range b.rows {
		worth = max(worth, dot(row, y))
	}
	for i := range y {
		y[i] /= worth
	}
	return y
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
