package results

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Labels that Karpenter sets on its nodes.
const (
	labelCapacityType = "karpenter.sh/capacity-type"
	labelNodePool     = "karpenter.sh/nodepool"
)

// Cost is what nodes cost over the window, in US dollars and hours of the trace. A node is paid
// from when its instance was launched until it was deleted. Nodes without a price cost nothing.
type Cost struct {
	Total float64 `json:"total"`
	// LowerBound is what room for the pods on these nodes would have cost at least, without those of
	// DaemonSets, if nodes could be changed at any time: see [packing.Bound]. It is 0 if there is no
	// list of prices.
	LowerBound float64 `json:"lowerBound,omitempty"`
	// Groups are the nodes of each kind, ordered by cost, the highest first.
	Groups []CostGroup `json:"groups"`
}

// CostGroup is what the nodes of one kind cost.
type CostGroup struct {
	NodePool     string  `json:"nodePool,omitempty"`
	InstanceType string  `json:"instanceType,omitempty"`
	CapacityType string  `json:"capacityType,omitempty"`
	Zone         string  `json:"zone,omitempty"`
	Nodes        int     `json:"nodes"`
	NodeHours    float64 `json:"nodeHours"`
	Cost         float64 `json:"cost"`
}

// Ratio returns how many times the lower bound the nodes cost, and 0 if the bound is not known.
func (c *Cost) Ratio() float64 {
	if c == nil || c.LowerBound <= 0 {
		return 0
	}
	return round(c.Total / c.LowerBound)
}

// CostDimension is a property of nodes by which cost can be summed up.
type CostDimension string

// The dimensions, by the names of the fields of [CostGroup].
const (
	CostByNodePool     CostDimension = "nodePool"
	CostByInstanceType CostDimension = "instanceType"
	CostByCapacityType CostDimension = "capacityType"
	CostByZone         CostDimension = "zone"
)

// By returns the groups summed up by one dimension, the most expensive first. Only that field of
// the groups is set; it is empty for nodes that do not have the property.
func (c *Cost) By(dimension CostDimension) []CostGroup {
	sums := map[string]*CostGroup{}
	for _, g := range c.Groups {
		name := *g.name(dimension)
		sum := sums[name]
		if sum == nil {
			sum = &CostGroup{}
			*sum.name(dimension) = name
			sums[name] = sum
		}
		sum.Nodes += g.Nodes
		sum.NodeHours += g.NodeHours
		sum.Cost += g.Cost
	}
	var out []CostGroup
	for _, g := range sums {
		g.NodeHours, g.Cost = round(g.NodeHours), round(g.Cost)
		out = append(out, *g)
	}
	sortGroups(out)
	return out
}

// name returns the field of a dimension.
func (g *CostGroup) name(dimension CostDimension) *string {
	switch dimension {
	case CostByNodePool:
		return &g.NodePool
	case CostByInstanceType:
		return &g.InstanceType
	case CostByCapacityType:
		return &g.CapacityType
	case CostByZone:
		return &g.Zone
	}
	panic(fmt.Sprintf("results: cost has no dimension %q", dimension))
}

// Name returns the value of a dimension, and "other" if the nodes have none.
func (g CostGroup) Name(dimension CostDimension) string { return cmp.Or(*g.name(dimension), "other") }

// priceOf returns the price of a node, or 0 if it has none that is valid.
func priceOf(node *corev1.Node) float64 {
	price, err := strconv.ParseFloat(node.Annotations[simkubev1.AnnotationPricePerHour], 64)
	if err != nil || !(price > 0) || math.IsInf(price, 0) {
		return 0
	}
	return price
}

// costOf returns the cost of nodes, or nil if none has a price.
func costOf(nodes []nodeRecord, w window) *Cost {
	groups := map[CostGroup]*CostGroup{}
	var total float64
	for i := range nodes {
		n := &nodes[i]
		if n.price == 0 {
			continue
		}
		kind := CostGroup{NodePool: n.pool, InstanceType: n.instanceType, CapacityType: n.capacityType, Zone: n.zone}
		g := groups[kind]
		if g == nil {
			g = &kind
			groups[kind] = g
		}
		end := w.end
		if n.deleted != 0 {
			end = min(end, n.deleted)
		}
		hours := w.traceHours(float64(max(0, end-max(n.launched, w.start))))
		g.Nodes++
		g.NodeHours += hours
		g.Cost += hours * n.price
		total += hours * n.price
	}
	if len(groups) == 0 {
		return nil
	}
	out := &Cost{Total: round(total)}
	for _, g := range groups {
		g.NodeHours, g.Cost = round(g.NodeHours), round(g.Cost)
		out.Groups = append(out.Groups, *g)
	}
	sortGroups(out.Groups)
	return out
}

// sortGroups orders groups by cost, the highest first.
func sortGroups(groups []CostGroup) {
	slices.SortFunc(groups, func(a, b CostGroup) int {
		return cmp.Or(cmp.Compare(b.Cost, a.Cost), cmp.Compare(a.NodePool, b.NodePool), cmp.Compare(a.InstanceType, b.InstanceType),
			cmp.Compare(a.CapacityType, b.CapacityType), cmp.Compare(a.Zone, b.Zone))
	})
}

// FormatDollars formats an amount of US dollars.
func FormatDollars(v float64) string {
	switch {
	case v != 0 && v < 0.1:
		return fmt.Sprintf("$%.4f", v)
	case v >= 1000:
		return fmt.Sprintf("$%.0f", v)
	}
	return fmt.Sprintf("$%.2f", v)
}

// FormatRatio formats how many times the lower bound something cost: 1.4.
func FormatRatio(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// maxCostTypes is how many instance types the text of a summary names.
const maxCostTypes = 2

func (t *textWriter) cost(s *Summary) {
	c := s.Timing.Cost
	if c == nil {
		return
	}
	parts := []part{strong("%s", FormatDollars(c.Total))}
	if hours := s.Run.WindowEnd.Sub(s.Run.WindowStart).Hours(); hours > 0 {
		parts = append(parts, plain("%s an hour", FormatDollars(c.Total/hours)))
	}
	if ratio := c.Ratio(); ratio > 0 {
		parts = append(parts, plain("%s times the lower bound", FormatRatio(ratio)))
	}
	if kinds := c.By(CostByCapacityType); len(kinds) > 1 {
		for _, g := range kinds {
			parts = append(parts, plain("%s %s", g.Name(CostByCapacityType), FormatDollars(g.Cost)))
		}
	}
	kinds := c.By(CostByInstanceType)
	for _, g := range kinds[:min(len(kinds), maxCostTypes)] {
		parts = append(parts, plain("%s %s", g.Name(CostByInstanceType), FormatDollars(g.Cost)))
	}
	t.line("cost", parts...)
}
