package results

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

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
	slices.SortFunc(out.Groups, func(a, b CostGroup) int {
		return cmp.Or(cmp.Compare(b.Cost, a.Cost), cmp.Compare(a.NodePool, b.NodePool), cmp.Compare(a.InstanceType, b.InstanceType),
			cmp.Compare(a.CapacityType, b.CapacityType), cmp.Compare(a.Zone, b.Zone))
	})
	return out
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

// maxCostGroups is how many kinds of nodes the text of a summary names.
const maxCostGroups = 2

func (t *textWriter) cost(s *Summary) {
	c := s.Timing.Cost
	if c == nil {
		return
	}
	parts := []part{strong("%s", FormatDollars(c.Total))}
	if hours := s.Run.WindowEnd.Sub(s.Run.WindowStart).Hours(); hours > 0 {
		parts = append(parts, plain("%s an hour", FormatDollars(c.Total/hours)))
	}
	for _, g := range c.Groups[:min(len(c.Groups), maxCostGroups)] {
		parts = append(parts, plain("%s: %s", strings.Join(nonEmpty(g.CapacityType, g.InstanceType, g.Zone), " "), FormatDollars(g.Cost)))
	}
	t.line("cost", parts...)
}

func nonEmpty(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}
