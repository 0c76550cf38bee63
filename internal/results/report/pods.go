package report

import (
	"fmt"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

// podsChart draws how many pods there were, by their state.
func podsChart(p *pageBuilder) []chart {
	peak := p.run.Summary.Timing.Pods
	c := timeChart{scale: 1, chart: chart{
		ID: "pods", Title: "Pods", Wide: true, unit: counted(), UnitName: "pods",
		Caption: fmt.Sprintf("At most %s ran at once, and at most %s waited for a node.",
			words.Number(peak.PeakRunning), words.Number(peak.PeakPending)),
		Describe: "Pods that exist over time, stacked by their state: running, starting, waiting for a node, succeeded and failed.",
	}}
	c.stack = []series{
		{Name: "Running", Class: "running", value: func(r *results.TimelineRow) float64 { return float64(r.Running) }},
		{Name: "Starting", Class: "starting", value: func(r *results.TimelineRow) float64 { return float64(r.Starting) }},
		{Name: "Waiting for a node", Class: "pending", value: func(r *results.TimelineRow) float64 { return float64(r.Pending) }},
		{Name: "Succeeded", Class: "succeeded", value: func(r *results.TimelineRow) float64 { return float64(r.Succeeded) }},
		{Name: "Failed", Class: "failed", value: func(r *results.TimelineRow) float64 { return float64(r.Failed) }},
	}
	if p.run.Summary.Outcome.Pods.Created == 0 {
		return c.empty("No pod was created.")
	}
	return p.draw(c)
}
