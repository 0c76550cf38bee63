package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

//go:embed index.html.tmpl
var indexTemplate string

// index is what the template of several runs shows.
type index struct {
	Style template.CSS

	Name        string
	Count       string
	Statuses    string
	Interrupted bool
	// Assessment says whether the runs were as recorded; it is empty if that is not known.
	Assessment string
	Headline   string
	Note       string
	Tone       string // of the headline: good, warn or bad
	Tiles      []tile
	Columns    []indexColumn
	Runs       []indexRow
	Across     []indexRow
	Failures   []results.Failure
	About      []fact
}

type indexColumn struct{ Name, Class string }

// indexRow is a run, or a row of the spread.
type indexRow struct {
	Name, Link, Seed string
	Status, Tone     string // empty for a run that finished
	Cells            []indexCell
}

type indexCell struct {
	Text, Class string
	// Bar is a percentage to draw under the number; negative for none.
	Bar float64
}

// RenderIndex writes the page of several runs, which links to the report of each. It is as
// self-contained as they are, and has no script.
func RenderIndex(w io.Writer, r *results.Repetitions) error {
	return execute(w, "index", indexTemplate, newIndex(r))
}

func newIndex(r *results.Repetitions) *index {
	p := &index{
		Style:       template.CSS(pageStyle),
		Name:        r.Simulation,
		Count:       words.Number(len(r.Runs)),
		Statuses:    r.Statuses(),
		Interrupted: r.Interrupted,
		Failures:    r.Failures(),
		About:       aboutTrace(r.Trace),
	}
	if p.Name == "" {
		p.Name = "Simulation"
	}
	p.Headline, p.Tone = indexHeadline(r)
	if assessment := r.Assessment(); assessment != "" {
		p.Assessment = capital(assessment) + "."
	}
	if r.Seeded() {
		p.Note = "Each run has a seed: the same trace and settings with the same seed come to the same."
	}
	for _, m := range results.Columns() {
		p.Columns = append(p.Columns, indexColumn{Name: capital(m.Column), Class: columnClass(m)})
	}
	longest := 0.0
	for _, run := range r.Runs {
		longest = max(longest, run.Measures[barMeasure])
	}
	for _, run := range r.Runs {
		p.Runs = append(p.Runs, runRow("run "+r.Label(run.Number), run, longest))
	}
	if r.Across != nil {
		p.Tiles = spreadTiles(r.Across)
		p.Across = acrossRows(r.Across)
	}
	return p
}

// columnClass returns the CSS class of a column: p2 if a phone has no room for it, p3 if a tablet
// has none either.
func columnClass(m results.Measure) string {
	switch {
	case m.Priority > 5:
		return "p3"
	case m.Priority > 2:
		return "p2"
	}
	return ""
}

// barMeasure is the measure whose column has bars.
const barMeasure = results.MeasurePendingP99

func runRow(name string, run results.Repetition, longest float64) indexRow {
	row := indexRow{Name: name}
	if run.Folder != "" {
		row.Link = run.Folder + "/" + results.ReportFile
	}
	if run.Seed != 0 {
		row.Seed = strconv.FormatUint(run.Seed, 10)
	}
	if run.Status != results.RunFinished {
		row.Status = run.Status.Text()
		switch run.Status {
		case results.RunFailed:
			row.Tone = "bad"
		case results.RunInterrupted:
			row.Tone = "warn"
		}
	}
	for _, m := range results.Columns() {
		cell := indexCell{Text: "–", Class: columnClass(m), Bar: -1}
		if value, ok := run.Measures[m.Key]; ok {
			cell.Text = m.Unit.Format(value)
			if m.Key == barMeasure && longest > 0 {
				cell.Bar = 100 * value / longest
			}
		}
		row.Cells = append(row.Cells, cell)
	}
	return row
}

func acrossRows(across map[string]results.Spread) []indexRow {
	rows := []indexRow{{Name: "Least"}, {Name: "Median"}, {Name: "Most"}}
	for _, m := range results.Columns() {
		s, ok := across[m.Key]
		for row, value := range []float64{s.Min, s.Median, s.Max} {
			cell := indexCell{Text: "–", Class: columnClass(m)}
			if ok {
				cell.Text = m.Unit.Format(value)
			}
			rows[row].Cells = append(rows[row].Cells, cell)
		}
	}
	return rows
}

func spreadTiles(across map[string]results.Spread) []tile {
	var out []tile
	for _, m := range results.Measures() {
		s, ok := across[m.Key]
		if !m.Tile || !ok {
			continue
		}
		note := "the same in every run"
		if least, most := m.Unit.Format(s.Min), m.Unit.Format(s.Max); least != most {
			note = "median of " + least + " to " + most
		}
		out = append(out, tile{Label: m.Title, Value: m.Unit.Format(s.Median), Note: note})
	}
	return out
}

// indexHeadline says in a sentence how similar the runs are.
func indexHeadline(r *results.Repetitions) (text, tone string) {
	finished := r.Count(results.RunFinished)
	failed := r.Count(results.RunFailed)
	if failed > 0 {
		tone = "bad"
		text = fmt.Sprintf(" %s of %s runs failed.", words.Number(failed), words.Number(len(r.Runs)))
	} else if finished < len(r.Runs) {
		tone = "warn"
	}
	if r.Across == nil {
		return "No run finished." + text, tone
	}
	p99 := r.Across[results.MeasurePendingP99]
	least, most := results.FormatSeconds(p99.Min), results.FormatSeconds(p99.Max)
	switch {
	case finished == 1:
		return fmt.Sprintf("One run finished, in which 99%% of pods waited at most %s for a node.", least) + text, tone
	case least == most:
		return fmt.Sprintf("In every run, 99%% of pods waited at most %s for a node.", least) + text, tone
	}
	return fmt.Sprintf("99%% of pods waited at most %s for a node in the best run, and %s in the worst.", least, most) + text, tone
}

func aboutTrace(info results.TraceInfo) []fact {
	facts := []fact{{"Trace", info.Path}}
	if info.SHA256 != "" {
		facts = append(facts, fact{"SHA-256", info.SHA256})
	}
	facts = append(facts, fact{"Events", words.Number(info.Events)})
	if !info.Start.IsZero() {
		facts = append(facts, fact{"Recorded", windowText(info.Start, info.End)})
	}
	return facts
}
