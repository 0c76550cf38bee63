package report

import (
	"fmt"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

// nodesChart draws how many nodes there were, and how many were ready.
func nodesChart(p *pageBuilder) []chart {
	n := p.run.Summary.Timing.Nodes
	c := timeChart{scale: 1, chart: chart{
		ID: "nodes", Title: "Nodes", unit: counted(), UnitName: "nodes",
		Caption: fmt.Sprintf("%s at most, %s on average, %s node-hours.",
			words.Number(n.Peak), results.FormatNumber(n.Mean), results.FormatNumber(n.NodeHours)),
		Describe: "Nodes over time: all of them, and those that are ready.",
	}}
	c.stack = []series{{Name: "Ready", Class: "ready", value: func(r *results.TimelineRow) float64 { return float64(r.NodesReady) }}}
	c.lines = []series{{
		Name: "All", Class: "capacity", Line: true, value: func(r *results.TimelineRow) float64 { return float64(r.Nodes) },
	}}
	if n.Peak == 0 {
		return c.empty("There was no node.")
	}
	return p.draw(c)
}
