package report

import (
	"fmt"
	"math"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

// binsPerDecade is how fine the histogram of waits is.
const binsPerDecade = 4

// waitTicks are the labelled positions of its axis.
var waitTicks = []struct {
	seconds float64
	label   string
	minor   bool
}{
	{0.001, "1ms", false},
	{0.01, "10ms", true},
	{0.1, "100ms", true},
	{1, "1s", false},
	{10, "10s", true},
	{60, "1m", false},
	{600, "10m", true},
	{3600, "1h", false},
	{6 * 3600, "6h", true},
	{24 * 3600, "1d", false},
}

// logAxis maps seconds to percent. Shorter times are at its beginning.
type logAxis struct{ low, high float64 } // exponents of ten

func (a logAxis) pos(seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return min(max(100*(math.Log10(seconds)-a.low)/(a.high-a.low), 0), 100)
}

// pendingChart draws how long pods waited for a node, as a histogram on a logarithmic axis.
func pendingChart(p *pageBuilder) []chart {
	w := p.run.Summary.Timing.Pending
	c := chart{
		ID: "pending", Title: "Time to get a node", unit: seconds(), UnitName: "pods",
		Caption:  "How long pods waited from their creation until they had a node. Both axes are stretched: time by powers of ten, counts by their square root.",
		Describe: "Histogram of the time pods waited for a node.",
	}
	if len(p.run.Pods) == 0 {
		return c.empty("No pod was created.")
	}
	axis := logAxis{low: -3, high: math.Ceil(binsPerDecade*math.Log10(max(w.Max*1.05, 1.5))) / binsPerDecade}
	bins := int(math.Round((axis.high - axis.low) * binsPerDecade))
	placed, never := make([]int, bins), make([]int, bins)
	top := 0
	for i := range p.run.Pods {
		pod := &p.run.Pods[i]
		b := min(int(axis.pos(pod.PendingSeconds)/100*float64(bins)+1e-9), bins-1)
		if pod.Scheduled.IsZero() {
			never[b]++
		} else {
			placed[b]++
		}
		top = max(top, placed[b]+never[b])
	}
	end := float64(top) * 1.15
	height := func(n int) float64 {
		if n == 0 {
			return 0
		}
		return max(1000*math.Sqrt(float64(n)/end), 8)
	}
	width := 1000 / float64(bins)
	t := &table{Head: []string{"Waited", "Pods", "Of them without a node"}}
	var quick, slow, lost pathBuilder
	for b := range bins {
		all := height(placed[b] + never[b])
		if all == 0 {
			continue
		}
		upper := math.Pow(10, axis.low+float64(b+1)/binsPerDecade)
		low := all * float64(placed[b]) / float64(placed[b]+never[b])
		bar := &quick
		if upper > 1.0001 {
			bar = &slow
		}
		x, w := float64(b)*width+width*0.06, width*0.88
		if low > 0 {
			bar.box(x, 1000-low, w, low)
		}
		if all > low {
			lost.box(x, 1000-all, w, all-low)
		}
		from := results.FormatSeconds(math.Pow(10, axis.low+float64(b)/binsPerDecade))
		if b == 0 {
			from = "0s"
		}
		label := from + " to " + results.FormatSeconds(upper)
		t.Rows = append(t.Rows, []string{label, words.Number(placed[b] + never[b]), words.Number(never[b])})
	}
	for _, m := range []struct {
		series
		path *pathBuilder
	}{
		{series{Name: "Up to a second", Class: "running"}, &quick},
		{series{Name: "Longer", Class: "pending"}, &slow},
		{series{Name: "Never got a node", Class: "failed"}, &lost},
	} {
		if d := m.path.String(); d != "" {
			c.Series = append(c.Series, m.series)
			c.Marks = append(c.Marks, mark{Class: "bars " + m.Class, D: d, Title: m.Name})
		}
	}
	c.YTicks = rootTicks(end)
	for _, tk := range waitTicks {
		if exp := math.Log10(tk.seconds); exp <= axis.high+1e-9 {
			c.XTicks = append(c.XTicks, tick{Pos: axis.pos(tk.seconds), Label: tk.label, Minor: tk.minor})
		}
	}
	for i, q := range []struct {
		name    string
		seconds float64
	}{{"p50", w.P50}, {"p90", w.P90}, {"p99", w.P99}} {
		pos := axis.pos(q.seconds)
		label := fmt.Sprintf("%s %s", q.name, results.FormatSeconds(q.seconds))
		c.Rules = append(c.Rules, rule{Pos: pos, Label: label, Upright: true, Left: pos > 70, Row: 1.6 * float64(i)})
	}
	c.Table = t
	return []chart{c}
}

// rootTicks returns ticks for an axis of square roots: a few counts that are far enough apart.
func rootTicks(end float64) []tick {
	var candidates []float64
	for power := 1.0; power <= end; power *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if m*power <= end {
				candidates = append(candidates, m*power)
			}
		}
	}
	ticks := []tick{{Pos: 0, Label: "0"}}
	// From the largest down, so that the largest count always has a tick.
	last := 110.0
	var upper []tick
	for i := len(candidates) - 1; i >= 0; i-- {
		pos := 100 * math.Sqrt(candidates[i]/end)
		if last-pos < 14 || pos < 12 {
			continue
		}
		upper = append([]tick{{Pos: pos, Label: words.Number(int(candidates[i]))}}, upper...)
		last = pos
	}
	return append(ticks, upper...)
}
