package report

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

// page is what the template shows.
type page struct {
	Style  template.CSS
	Script template.JS

	Name        string
	Interrupted bool
	Window      string
	Took        string
	// Assessment says whether the replay was as recorded; it is empty if that is not known.
	Assessment string
	Deviations deviations
	Decided    decided
	Notes      []results.Note
	Headline   string
	Because    string
	Caveat     string
	Tone       string // of the headline: good, warn or bad
	Tiles      []tile

	Overview, Spending, Waiting, Replay []chart
	// Costs are tables of the cost; there are none if no node has a price.
	Costs []costTable
	Heat  heat

	Worst    []wait
	Reasons  []reason
	Owners   []owner
	Hidden   int // owners not listed
	Problems problems
	Measures []measured
	About    []fact
	Data     data
}

// tile is a headline number.
type tile struct {
	Label, Value, Unit, Note string
	Tone                     string
	// Meter is a percentage to draw under the number; negative for none. Peak marks a second one.
	Meter, Peak float64
}

type fact struct{ Name, Value string }

// data is what the script needs to show values under the pointer.
type data struct {
	Times []int64 `json:"t"` // unix milliseconds
	// Values are the values of the series of charts, by key.
	Values map[string][]float64 `json:"v"`
	Units  map[string]valueUnit `json:"units"`
	Heat   heatData             `json:"heat"`
}

type heatData struct {
	Start int64    `json:"start"` // unix milliseconds
	End   int64    `json:"end"`
	Nodes []string `json:"nodes"`
	Cells [][]int  `json:"cells"`
}

// pageBuilder draws what belongs to one run.
type pageBuilder struct {
	run    *results.Run
	axis   timeAxis
	points []results.TimelineRow
}

func newPage(run *results.Run) *page {
	info := run.Summary.Run
	b := &pageBuilder{
		run:    run,
		axis:   timeAxis{start: info.WindowStart.UTC(), end: info.WindowEnd.UTC()},
		points: thin(run.Timeline),
	}
	p := &page{
		Style: template.CSS(pageStyle), Script: template.JS(pageScript),
		Name:        info.Simulation,
		Interrupted: info.Interrupted,
		Window:      windowText(info.WindowStart, info.WindowEnd),
		Took:        tookText(info),
		Tiles:       tiles(&run.Summary),
		Heat:        b.heat(),
		Worst:       worst(run),
		Reasons:     reasons(&run.Summary),
		Problems:    problemsOf(&run.Summary),
		Deviations:  deviationsOf(&run.Summary),
		Notes:       run.Summary.Notes,
		Measures:    measuredOf(&run.Summary),
		About:       about(info),
		Costs:       costTables(run.Summary.Timing.Cost),
		Decided:     decisionsOf(run),
	}
	if p.Name == "" {
		p.Name = "Simulation"
	}
	p.Owners, p.Hidden = owners(&run.Summary)
	p.Headline, p.Because, p.Tone = headline(&run.Summary)
	if assessment := run.Summary.Assessment(); assessment != "" {
		p.Assessment = capital(assessment) + "."
	}
	if p.Deviations.Total > 0 && p.Tone == "good" {
		p.Tone = "warn"
	}
	p.Caveat = caveat(info)
	drawn := b.drawAll()
	p.Overview, p.Spending, p.Waiting, p.Replay = drawn[overview], drawn[spending], drawn[waiting], drawn[replay]
	p.Data = b.data(p.Heat, p.Overview, p.Spending, p.Waiting, p.Replay)
	return p
}

func tookText(info results.RunInfo) string {
	length := info.WindowEnd.Sub(info.WindowStart)
	wall := time.Duration(info.WallSeconds * float64(time.Second))
	text := results.FormatDuration(length) + " of trace"
	if wall <= 0 {
		return text
	}
	text += " in " + results.FormatDuration(wall)
	if factor := float64(length) / float64(wall); factor >= 2 {
		text += fmt.Sprintf(", %s times as fast as it happened", results.FormatNumber(factor))
	}
	return text
}

// headline says in a sentence how the simulation went, and in another why.
func headline(s *results.Summary) (text, because, tone string) {
	pods, w := s.Outcome.Pods, s.Timing.Pending
	switch {
	case pods.Created == 0:
		return "No pod was created in this simulation.", "", "warn"
	case w.OverSecond == 0 && pods.NeverScheduled == 0:
		text = fmt.Sprintf("All %s pods got a node within a second.", words.Number(pods.Created))
		if pods.Created == 1 {
			text = "The one pod got a node within a second."
		}
		if pods.Disrupted > 0 {
			return text + disruptedText(pods.Disrupted), "", "warn"
		}
		return text, "", "good"
	}
	text = fmt.Sprintf("%s of %s pods (%s) waited longer than a second for a node, the longest for %s.",
		words.Number(w.OverSecond), words.Number(pods.Created),
		results.FormatPercent(float64(w.OverSecond)/float64(pods.Created)), results.FormatSeconds(w.Max))
	tone = "warn"
	if pods.NeverScheduled > 0 {
		tone = "bad"
		text += fmt.Sprintf(" %s never got one.", words.Number(pods.NeverScheduled))
	}
	text += disruptedText(pods.Disrupted)
	var why []string
	for _, r := range s.Timing.WaitReasons {
		if r.Mainly > 0 && len(why) < 3 {
			why = append(why, fmt.Sprintf("%s (%s)", r.Reason, words.Count(r.Mainly, "pod")))
		}
	}
	if len(why) > 0 {
		because = "What held them up: " + strings.Join(why, ", ") + "."
	}
	return text, because, tone
}

// disruptedText says how many pods were preempted or evicted.
func disruptedText(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return " 1 was preempted or evicted."
	}
	return fmt.Sprintf(" %s were preempted or evicted.", words.Number(n))
}

// caveat warns that at a higher speed delays look longer than they were.
func caveat(info results.RunInfo) string {
	if info.Speed <= 1 {
		return ""
	}
	second := results.FormatDuration(time.Duration(info.Speed * float64(time.Second)))
	return fmt.Sprintf("Replayed at speed %g: the scheduler and the controllers worked at their own pace, "+
		"and what took them a second is %s wide in the pictures.", info.Speed, second)
}

func tiles(s *results.Summary) []tile {
	pods, timing := s.Outcome.Pods, s.Timing
	finished := fmt.Sprintf("%s succeeded, %s failed", words.Number(pods.Succeeded), words.Number(pods.Failed))
	all := []tile{
		{Label: "Pods", Value: words.Number(pods.Created), Note: finished, Meter: -1},
		{
			Label: "Pending, p99", Value: results.FormatSeconds(timing.Pending.P99), Meter: -1,
			Note: "half within " + results.FormatSeconds(timing.Pending.P50),
		},
		{
			Label: "Nodes", Value: words.Number(timing.Nodes.Peak), Meter: -1,
			Note: results.FormatNumber(timing.Nodes.NodeHours) + " node-hours",
		},
	}
	if c := timing.Cost; c != nil {
		all = append(all, costTile(c, s.Run))
	}
	for _, name := range timing.ShownResources() {
		if u := timing.Usage(name); u.PeakAllocatable > 0 || name == string(corev1.ResourceCPU) || name == string(corev1.ResourceMemory) {
			all = append(all, usageTile(resourceTitle(name), u))
		}
	}
	all = append(all, tile{
		Label: "Replay lag, p99", Value: results.FormatSeconds(timing.ReplayLag.P99), Meter: -1,
		Note: words.Number(s.Outcome.Events.Replayed) + " events",
	})
	if pods.Created == 0 {
		all[1].Value, all[1].Note = "–", "no pod waited"
	}
	if s.Outcome.Events.Replayed == 0 {
		all[len(all)-1].Value = "–"
	}
	if n := pods.NeverScheduled; n > 0 {
		all[0].Tone, all[0].Note = "bad", fmt.Sprintf("%s never got a node", words.Number(n))
	}
	return all
}

func costTile(c *results.Cost, run results.RunInfo) tile {
	t := tile{Label: "Cost", Value: results.FormatDollars(c.Total), Meter: -1}
	if hours := run.WindowEnd.Sub(run.WindowStart).Hours(); hours > 0 {
		t.Note = results.FormatDollars(c.Total/hours) + " an hour"
	}
	if ratio := c.Ratio(); ratio > 0 {
		t.Note = results.FormatRatio(ratio) + " times the lower bound"
	}
	return t
}

func usageTile(label string, u results.ResourceUsage) tile {
	return tile{
		Label: label, Value: results.FormatPercent(u.MeanUtilization), Note: "requested · peak " + results.FormatPercent(u.PeakUtilization),
		Meter: min(100*u.MeanUtilization, 100), Peak: min(100*u.PeakUtilization, 100),
	}
}

func about(info results.RunInfo) []fact {
	facts := []fact{{"Trace", info.Trace.Path}}
	if info.Trace.SHA256 != "" {
		facts = append(facts, fact{"SHA-256", info.Trace.SHA256})
	}
	facts = append(facts, fact{"Events in the trace", words.Number(info.Trace.Events)},
		fact{"Observed", windowText(info.WindowStart, info.WindowEnd)},
		fact{"Speed", speedText(info.Speed)},
		fact{"On the clock", results.FormatDuration(time.Duration(info.ClockSeconds * float64(time.Second)))},
		fact{"In real time", results.FormatDuration(time.Duration(info.WallSeconds * float64(time.Second)))})
	for _, key := range slices.Sorted(maps.Keys(info.Settings)) {
		facts = append(facts, fact{capital(key), info.Settings[key]})
	}
	for _, key := range slices.Sorted(maps.Keys(info.Versions)) {
		facts = append(facts, fact{capital(key), info.Versions[key]})
	}
	return facts
}

func speedText(speed float64) string {
	if speed == 1 {
		return "as recorded"
	}
	return fmt.Sprintf("%g seconds of the trace in one of the clock", speed)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// data collects what the script needs, and sets the keys of the charts' series.
func (p *pageBuilder) data(h heat, parts ...[]chart) data {
	d := data{
		Times:  make([]int64, len(p.points)),
		Values: map[string][]float64{},
		Units:  map[string]valueUnit{counted().Name: counted()},
		Heat: heatData{
			Start: p.axis.start.UnixMilli(), End: p.axis.end.UnixMilli(),
			Nodes: h.names, Cells: h.cells,
		},
	}
	for i, row := range p.points {
		d.Times[i] = row.Time.UnixMilli()
	}
	for _, c := range slices.Concat(parts...) {
		d.Units[c.unit.Name] = c.unit
		for i := range c.Series {
			s := &c.Series[i]
			if s.value == nil {
				continue
			}
			s.Key = fmt.Sprintf("%s-%d", c.ID, i)
			values := make([]float64, len(p.points))
			for j := range p.points {
				values[j] = s.value(&p.points[j])
			}
			d.Values[s.Key] = values
		}
	}
	return d
}
