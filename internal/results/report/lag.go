package report

import (
	"fmt"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

// lagChart draws how late events were, over time.
func lagChart(p *pageBuilder) []chart {
	lag := p.run.Summary.Timing.ReplayLag
	c := chart{
		ID: "lag", Title: "Replay lag", unit: seconds(), UnitName: "ms",
		Caption: fmt.Sprintf("How late events of the trace were replayed: half of them within %s, 99%% within %s, the latest by %s.",
			results.FormatSeconds(lag.P50), results.FormatSeconds(lag.P99), results.FormatSeconds(lag.Max)),
		Describe: "The largest lag of replayed events over time.",
	}
	if lag.Count == 0 || len(p.points) == 0 {
		return c.empty("No event was replayed.")
	}
	scale := 0.001
	if lag.Max >= 10 {
		c.UnitName, scale = "s", 1
	}
	top := max(lag.Max, 0.001)
	ticks, end := valueTicks(top/scale, false)
	end *= scale
	c.YTicks, c.XTicks = ticks, p.axis.ticks()
	var d pathBuilder
	width := max(1000/float64(maxPoints), 1.7)
	t := &table{Head: []string{"Time (UTC)", "Events", "p99", "Max"}}
	every := 1 + len(p.points)/24
	for i, row := range p.points {
		if row.Events > 0 {
			x := min(10*p.axis.pos(row.Time), 1000-width)
			h := max(1000*row.LagMaxSeconds/end, 4)
			d.box(x, 1000-h, width, h)
		}
		if i%every == 0 && row.Events > 0 {
			t.Rows = append(t.Rows, []string{
				row.Time.Format("2 Jan " + p.clockLayout()), words.Number(int(row.Events)),
				results.FormatSeconds(row.LagP99Seconds), results.FormatSeconds(row.LagMaxSeconds),
			})
		}
	}
	c.Series = []series{
		{Name: "Largest lag", Class: "starting", value: func(r *results.TimelineRow) float64 { return r.LagMaxSeconds }},
		{Name: "Events", Class: "none", counts: true, value: func(r *results.TimelineRow) float64 { return float64(r.Events) }},
	}
	c.Marks = []mark{{Class: "bars starting", D: d.String(), Title: "Largest lag"}}
	c.Rules = []rule{{Pos: 100 * lag.P99 / end, Label: "p99 " + results.FormatSeconds(lag.P99)}}
	c.Table = t
	return []chart{c}
}
