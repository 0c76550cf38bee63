package results

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/packing"
)

// costRates is what the nodes with a price cost per hour at a time, by node pool and capacity type.
type costRates struct {
	kinds []costRate
	// of has the index of the kind of each node, or -1 for nodes without a price.
	of []int
}

type costRate struct {
	pool, capacityType string
	nodes              int
	perHour            float64
}

func newCostRates(nodes []nodeRecord) costRates {
	c := costRates{of: make([]int, len(nodes))}
	compare := func(a, b costRate) int {
		return cmp.Or(cmp.Compare(a.pool, b.pool), cmp.Compare(a.capacityType, b.capacityType))
	}
	for i := range nodes {
		if nodes[i].price > 0 {
			c.kinds = append(c.kinds, costRate{pool: nodes[i].pool, capacityType: nodes[i].capacityType})
		}
	}
	slices.SortFunc(c.kinds, compare)
	c.kinds = slices.Compact(c.kinds)
	for i := range nodes {
		c.of[i] = -1
		if nodes[i].price > 0 {
			c.of[i], _ = slices.BinarySearchFunc(c.kinds, costRate{pool: nodes[i].pool, capacityType: nodes[i].capacityType}, compare)
		}
	}
	return c
}

// change adds a node, or removes one if by is -1.
func (c *costRates) change(node int, price float64, by int) {
	if c.of[node] < 0 {
		return
	}
	kind := &c.kinds[c.of[node]]
	kind.nodes += by
	kind.perHour += float64(by) * price
	if kind.nodes == 0 {
		kind.perHour = 0 // without errors of rounding
	}
}

func (c *costRates) row() []TimelineCost {
	var out []TimelineCost
	for _, kind := range c.kinds {
		if kind.nodes > 0 {
			out = append(out, TimelineCost{NodePool: kind.pool, CapacityType: kind.capacityType, PricePerHour: round(kind.perHour)})
		}
	}
	return out
}

// served is what the pods on nodes with a price request, and the least that room for it costs. Pods
// that run on every node are left out, see [packing.Bound.PerHour].
type served struct {
	bound  *packing.Bound // nil without a price list
	names  []string       // of resources
	now    amounts
	onNode []amounts
	// times are those of the timeline. sums are the integrals since the last one, in units times
	// nanoseconds.
	times []instant
	since instant
	sums  []float64
	// dollarHours is the integral of the bound, in dollars per hour times nanoseconds.
	dollarHours float64
}

func newServed(offers []packing.Offer, w window, table *resourceTable, nodes int, times []instant) served {
	s := served{names: table.names, onNode: make([]amounts, nodes), times: times, since: w.start, sums: make([]float64, len(table.names))}
	if len(offers) > 0 {
		s.bound = packing.New(offers)
	}
	return s
}

// everywhere reports whether the owner of a pod makes one for each node.
func (p *podRecord) everywhere() bool { return p.owner.Kind == kindDaemonSet || p.owner.Kind == "Node" }

func (s *served) place(node int, p *podRecord) {
	if s.bound != nil && !p.everywhere() {
		s.onNode[node].add(p.requests)
		s.now.add(p.requests)
	}
}

func (s *served) unplace(node int, p *podRecord) {
	if s.bound != nil && !p.everywhere() {
		s.onNode[node].sub(p.requests)
		s.now.sub(p.requests)
	}
}

// nodeGoes takes away the pods that are still on a node: it has no room for them any more.
func (s *served) nodeGoes(node int) {
	s.now.sub(s.onNode[node])
	s.onNode[node] = nil
}

// observe adds the demand between two times. The bound is computed for the average demand between
// two times of the timeline, which makes it lower, see [packing.Bound].
func (s *served) observe(from, to instant) {
	if s.bound == nil {
		return
	}
	for from < to {
		until := to
		for len(s.times) > 0 && s.times[0] <= from {
			s.close(s.times[0])
			s.times = s.times[1:]
		}
		if len(s.times) > 0 {
			until = min(until, s.times[0])
		}
		for number, v := range s.now {
			s.sums[number] += float64(v) * float64(until-from)
		}
		from = until
	}
}

// close ends the interval that began at since.
func (s *served) close(at instant) {
	length := float64(at - s.since)
	if s.bound == nil || length <= 0 {
		return
	}
	for i := range s.sums {
		s.sums[i] /= length
	}
	s.dollarHours += s.bound.PerHour(s.demand(s.sums)) * length
	clear(s.sums)
	s.since = at
}

// perHour returns the bound for the demand at this time.
func (s *served) perHour() float64 {
	if s.bound == nil {
		return 0
	}
	now := make([]float64, len(s.now))
	for number, v := range s.now {
		now[number] = float64(v)
	}
	return round(s.bound.PerHour(s.demand(now)))
}

// demand returns amounts by the name of the resource, in the units of [packing.Offer].
func (s *served) demand(amounts []float64) map[string]float64 {
	out := make(map[string]float64, len(amounts))
	for number, v := range amounts {
		if name := s.names[number]; name == string(corev1.ResourceCPU) {
			out[name] = v / 1000
		} else {
			out[name] = v
		}
	}
	return out
}

// lowerBound returns the bound of the whole window, in dollars, and 0 if there is no price list.
func (s *served) lowerBound(w window) float64 {
	s.close(w.end)
	return round(w.traceHours(s.dollarHours))
}
