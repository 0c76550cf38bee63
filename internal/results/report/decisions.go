package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

// maxDecisions is the maximum number of decisions that the page lists, and maxKept that of reasons
// why nodes were kept.
const (
	maxDecisions = 100
	maxKept      = 12
)

// shownKinds are the kinds of decisions that the band shows, from top to bottom, with their names
// and colours.
func shownKinds() []series {
	return []series{
		{Name: "Launched", Class: "kind0"},
		{Name: "Replaced", Class: "kind3"},
		{Name: "Removed", Class: "kind2"},
		{Name: "Interrupted", Class: "kind1"},
		{Name: "No node", Class: "kind4"},
		{Name: "No capacity", Class: "kind5"},
	}
}

// decisionChart draws when an autoscaler decided what, as a band for each kind of decisions. There
// is none without decisions.
func decisionChart(p *pageBuilder) []chart {
	if len(p.run.Decisions) == 0 {
		return nil
	}
	c := chart{
		ID: "decisions", Title: "Decisions of the autoscaler", unit: counted(),
		Caption:  "Each line is a decision.",
		Describe: "When the autoscaler launched, replaced and removed nodes, and when it found none.",
		XTicks:   p.axis.ticks(),
	}
	var shown []series
	drawn := map[string]*pathBuilder{}
	for _, kind := range shownKinds() {
		name := strings.ToLower(kind.Name)
		if slices.ContainsFunc(p.run.Decisions, func(d results.DecisionRow) bool { return d.Decision == name }) {
			shown = append(shown, kind)
			drawn[name] = &pathBuilder{}
		}
	}
	if len(shown) == 0 {
		return nil
	}
	height := 1000 / float64(len(shown))
	const width = 3
	for i := range p.run.Decisions {
		d := &p.run.Decisions[i]
		row := slices.IndexFunc(shown, func(s series) bool { return strings.ToLower(s.Name) == d.Decision })
		if row >= 0 {
			drawn[d.Decision].box(10*p.axis.pos(d.Time), height*(float64(row)+0.15), width, 0.7*height)
		}
	}
	for _, kind := range shown {
		c.Series = append(c.Series, kind)
		c.Marks = append(c.Marks, mark{Class: kind.Class, D: drawn[strings.ToLower(kind.Name)].String(), Title: kind.Name})
	}
	return []chart{c}
}

// decided is what an autoscaler decided, for tables.
type decided struct {
	Rows   []decision
	Hidden int // rows not listed
	Kept   []keptReason
}

type decision struct {
	Time, Decision, Reason string
	Tone                   string // of the chip
	Nodes, Details         string
}

// keptReason is why nodes were kept.
type keptReason struct {
	Reason string
	Nodes  string
	count  int
}

func decisionsOf(run *results.Run) decided {
	var out decided
	kept := map[string]map[string]bool{}
	for i := range run.Decisions {
		d := &run.Decisions[i]
		switch {
		case d.Decision == string(results.Kept):
			if kept[d.Message] == nil {
				kept[d.Message] = map[string]bool{}
			}
			for _, node := range d.Nodes {
				kept[d.Message][node] = true
			}
		case len(out.Rows) == maxDecisions:
			out.Hidden++
		default:
			out.Rows = append(out.Rows, decisionOf(d))
		}
	}
	for message, nodes := range kept {
		out.Kept = append(out.Kept, keptReason{Reason: message, Nodes: words.Count(len(nodes), "node"), count: len(nodes)})
	}
	slices.SortFunc(out.Kept, func(a, b keptReason) int {
		return cmp.Or(cmp.Compare(b.count, a.count), strings.Compare(a.Reason, b.Reason))
	})
	out.Kept = out.Kept[:min(len(out.Kept), maxKept)]
	return out
}

func decisionOf(d *results.DecisionRow) decision {
	out := decision{Time: instantText(d.Time), Decision: d.Decision, Reason: d.Reason, Nodes: some(d.Nodes)}
	switch results.DecisionKind(d.Decision) {
	case results.NoNode, results.NoCapacity:
		out.Tone = "bad"
	case results.Interrupted:
		out.Tone = "warn"
	}
	var details []string
	add := func(format string, args ...any) { details = append(details, fmt.Sprintf(format, args...)) }
	if d.InstanceType != "" {
		add("%s in %s, %s an hour", strings.TrimSpace(d.CapacityType+" "+d.InstanceType), d.Zone, results.FormatDollars(d.PricePerHour))
	}
	if len(d.Replacements) > 0 {
		add("by %s", some(d.Replacements))
	}
	switch {
	case len(d.Pods) > 0:
		add("for %s", some(d.Pods))
	case d.PodCount > 0:
		add("%s", words.Count(int(d.PodCount), "pod")+" to move")
	}
	if d.SavedPerHour > 0 {
		add("%s an hour less", results.FormatDollars(d.SavedPerHour))
	}
	if len(d.Alternatives) > 0 {
		add("also possible: %s", some(d.Alternatives))
	}
	if d.Message != "" {
		add("%s", d.Message)
	}
	out.Details = strings.Join(details, " · ")
	return out
}

// some returns a few names, and how many more there are.
func some(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
