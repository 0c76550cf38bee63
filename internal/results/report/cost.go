package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

// maxCostKinds is the maximum number of areas in the chart of the cost, and of colours for them.
const maxCostKinds = 6

// costChart draws what the nodes cost per hour, and the lower bound of that. There is no chart if
// no node has a price.
func costChart(p *pageBuilder) []chart {
	cost := p.run.Summary.Timing.Cost
	if cost == nil {
		return nil
	}
	c := timeChart{scale: 1, chart: chart{
		ID: "cost", Title: "Cost per hour", Wide: true, unit: dollars(), UnitName: "dollars per hour",
		Caption:  costCaption(cost),
		Describe: "What the nodes cost per hour over time.",
	}}
	kinds := p.costKinds()
	for i, kind := range kinds {
		name := kind
		member := func(other string) bool { return other == name }
		if i == maxCostKinds-1 && len(kinds) > maxCostKinds {
			rest := kinds[i:]
			name, member = "Others", func(other string) bool { return slices.Contains(rest, other) }
		}
		c.stack = append(c.stack, series{
			Name: name, Class: fmt.Sprintf("kind%d", i),
			value: func(r *results.TimelineRow) float64 { return p.costOf(r, member) },
		})
		if len(c.stack) == maxCostKinds {
			break
		}
	}
	if cost.LowerBound > 0 {
		c.lines = []series{{
			Name: "Lower bound", Class: "capacity", Line: true,
			value: func(r *results.TimelineRow) float64 { return r.LowerBoundPerHour },
		}}
	}
	if len(kinds) == 0 {
		return c.empty("When the nodes cost what is not known.")
	}
	charts := p.draw(c)
	for i := range charts {
		charts[i].Marks = withCasing(charts[i].Marks)
	}
	return charts
}

// withCasing returns marks with a wider line in the colour of the page under each line, which would
// be hard to see on the areas.
func withCasing(marks []mark) []mark {
	var out []mark
	for _, m := range marks {
		if strings.HasPrefix(m.Class, "line ") {
			out = append(out, mark{Class: "line casing", D: m.D})
		}
		out = append(out, m)
	}
	return out
}

func costCaption(c *results.Cost) string {
	text := results.FormatDollars(c.Total) + " in total."
	if ratio := c.Ratio(); ratio > 0 {
		text += fmt.Sprintf(" The pods would have cost at least %s on the cheapest mix of instances: the nodes cost %s times that.",
			results.FormatDollars(c.LowerBound), results.FormatRatio(ratio))
	}
	return text
}

// costKinds returns the kinds of nodes with a price, the most expensive at the bottom.
func (p *pageBuilder) costKinds() []string {
	sums := map[string]float64{}
	for i := range p.run.Timeline {
		for _, cost := range p.run.Timeline[i].Costs {
			sums[costKind(cost)] += cost.PricePerHour
		}
	}
	return slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(cmp.Compare(sums[b], sums[a]), strings.Compare(a, b))
	})
}

func (p *pageBuilder) costOf(r *results.TimelineRow, member func(string) bool) float64 {
	sum := 0.0
	for _, cost := range r.Costs {
		if member(costKind(cost)) {
			sum += cost.PricePerHour
		}
	}
	return sum
}

// costKind names the node pool and the capacity type of a cost.
func costKind(c results.TimelineCost) string {
	name := strings.TrimSpace(c.NodePool + " " + c.CapacityType)
	return cmp.Or(name, "Nodes")
}

// dollars formats dollars per hour.
func dollars() valueUnit {
	return valueUnit{Name: "dollars", Scales: []valueScale{
		{From: 0.1, Size: 1, Suffix: " $/h"},
		{From: 1e-6, Size: 0.01, Suffix: " ¢/h"},
		{Size: 1, Suffix: " $/h"},
	}}
}

// costTable is what the nodes cost by one of their properties.
type costTable struct {
	Head string
	Rows []costRow
	// Hidden are the rows that are left out.
	Hidden int
}

// Lower returns the head in lower case.
func (t costTable) Lower() string { return strings.ToLower(t.Head) }

type costRow struct {
	Name, Nodes, Hours, Cost, Share string
	Bar                             float64 // percent
}

// maxCostRows is the maximum number of rows of a table of costs.
const maxCostRows = 12

// costTables returns a table for each property of nodes, without those that no node has.
func costTables(c *results.Cost) []costTable {
	if c == nil {
		return nil
	}
	var out []costTable
	for _, d := range []struct {
		head      string
		dimension results.CostDimension
	}{
		{"Node pool", results.CostByNodePool},
		{"Capacity type", results.CostByCapacityType},
		{"Instance type", results.CostByInstanceType},
		{"Zone", results.CostByZone},
	} {
		groups := c.By(d.dimension)
		if len(groups) == 1 && groups[0].Name(d.dimension) == (results.CostGroup{}).Name(d.dimension) {
			continue
		}
		t := costTable{Head: d.head, Hidden: max(0, len(groups)-maxCostRows)}
		for _, g := range groups[:len(groups)-t.Hidden] {
			share := 0.0
			if c.Total > 0 {
				share = g.Cost / c.Total
			}
			t.Rows = append(t.Rows, costRow{
				Name: g.Name(d.dimension), Nodes: words.Number(g.Nodes), Hours: results.FormatNumber(g.NodeHours),
				Cost: results.FormatDollars(g.Cost), Share: results.FormatPercent(share), Bar: math.Round(1000*share) / 10,
			})
		}
		out = append(out, t)
	}
	return out
}
