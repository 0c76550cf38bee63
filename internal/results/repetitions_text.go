package results

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// WriteText writes a table of the runs for a terminal of the given width (80 if it is not
// positive), in colour if asked: a line for each run, the spread of the measures, and why runs
// failed. Columns that do not fit are left out by their priority.
func (r *Repetitions) WriteText(w io.Writer, width int, colour bool) error {
	if width <= 0 {
		width = 80
	}
	t := textWriter{width: width, colour: colour}
	t.repetitions(r)
	if r.HasResults() {
		t.table(r.columns())
	}
	t.failures(r)
	if _, err := w.Write(t.out.Bytes()); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// Statuses returns how many runs have each status: "8 finished, 2 failed".
func (r *Repetitions) Statuses() string {
	var parts []string
	for _, status := range []RepetitionStatus{RunFinished, RunInterrupted, RunFailed, RunNotStarted} {
		if n := r.Count(status); n > 0 {
			parts = append(parts, words.Number(n)+" "+status.Text())
		}
	}
	return strings.Join(parts, ", ")
}

// Text returns the status for people.
func (s RepetitionStatus) Text() string {
	if s == RunNotStarted {
		return "not started"
	}
	return string(s)
}

func (s RepetitionStatus) style() string {
	switch s {
	case RunFinished:
		return green
	case RunInterrupted:
		return yellow
	case RunFailed:
		return red
	}
	return dim
}

func (t *textWriter) repetitions(r *Repetitions) {
	worst := RunFinished
	for _, status := range []RepetitionStatus{RunNotStarted, RunInterrupted, RunFailed} {
		if r.Count(status) > 0 {
			worst = status
		}
	}
	head := printable.Line(r.Simulation) + ", " + words.Count(len(r.Runs), "repetition")
	state := r.Statuses()
	between := ": "
	if utf8.RuneCountInString(head+between+state) > t.width {
		between = "\n  "
	}
	t.out.WriteString(t.styled(bold, words.Clip(head, t.width)) + between)
	t.out.WriteString(t.styled(worst.style(), words.Clip(state, t.width-2)) + "\n")
}

// column is a column of a table, with a cell for every row.
type column struct {
	title string
	// rank is the order in which columns are left out, the highest first; 0 for never.
	rank  int
	cells []part
}

func (c *column) width() int {
	width := utf8.RuneCountInString(c.title)
	for _, cell := range c.cells {
		width = max(width, utf8.RuneCountInString(cell.text))
	}
	return width
}

// columns returns the columns, with a row for each run and below them the rows of the spread.
func (r *Repetitions) columns() []column {
	name, seed, status := column{title: "run"}, column{title: "seed", rank: 6}, column{title: "status"}
	for _, run := range r.Runs {
		name.cells = append(name.cells, part{normal, r.Label(run.Number)})
		status.cells = append(status.cells, part{run.Status.style(), run.Status.Text()})
		text := ""
		if run.Seed != 0 {
			text = strconv.FormatUint(run.Seed, 10)
		}
		seed.cells = append(seed.cells, part{normal, text})
	}
	out := []column{name}
	if r.Seeded() {
		out = append(out, seed)
	}
	if r.Count(RunFinished) < len(r.Runs) {
		out = append(out, status)
	}
	across := r.Across != nil && r.Count(RunFinished) > 1
	if across {
		out = addAcrossTitles(out)
	}
	for _, m := range Columns() {
		c := column{title: m.Column, rank: m.Priority}
		for _, run := range r.Runs {
			text := "–"
			if value, ok := run.Measures[m.Key]; ok {
				text = m.Unit.Format(value)
			}
			c.cells = append(c.cells, part{normal, text})
		}
		if across {
			c.cells = append(c.cells, acrossCells(r.Across, m)...)
		}
		out = append(out, c)
	}
	return out
}

// addAcrossTitles adds the rows of the spread to columns that are not measures.
func addAcrossTitles(columns []column) []column {
	for i := range columns {
		for _, title := range []string{"min", "median", "max"} {
			cell := part{}
			if i == 0 {
				cell = part{bold, title}
			}
			columns[i].cells = append(columns[i].cells, cell)
		}
	}
	return columns
}

func acrossCells(across map[string]Spread, m Measure) []part {
	s, ok := across[m.Key]
	if !ok { // a folder written before the measure was recorded
		return []part{{bold, "–"}, {bold, "–"}, {bold, "–"}}
	}
	return []part{{bold, m.Unit.Format(s.Min)}, {bold, m.Unit.Format(s.Median)}, {bold, m.Unit.Format(s.Max)}}
}

const columnGap = "  "

func (t *textWriter) table(columns []column) {
	for {
		width := 0
		last := 0
		for i, c := range columns {
			width += len(columnGap) + c.width()
			if c.rank > columns[last].rank {
				last = i
			}
		}
		if width <= t.width || columns[last].rank == 0 {
			break
		}
		columns = slices.Delete(columns, last, last+1)
	}
	for row := -1; row < len(columns[0].cells); row++ {
		for i, c := range columns {
			cell := part{dim, c.title}
			if row >= 0 {
				cell = c.cells[row]
			}
			space := strings.Repeat(" ", c.width()-utf8.RuneCountInString(cell.text))
			text := t.styled(cell.style, cell.text)
			t.out.WriteString(columnGap)
			if i == 0 || c.title == "status" { // words; numbers stand to the right
				t.out.WriteString(text + space)
			} else {
				t.out.WriteString(space + text)
			}
		}
		t.out.WriteByte('\n')
	}
}

func (t *textWriter) failures(r *Repetitions) {
	for _, f := range r.Failures() {
		t.out.WriteString(t.styled(red, f.Runs+" failed:") + " " + printable.Text(f.Error) + "\n")
		if f.Hint != "" {
			t.out.WriteString("  " + t.styled(dim, "hint:") + " " + printable.Text(f.Hint) + "\n")
		}
		if len(f.Logs) > 0 {
			t.out.WriteString("  " + t.styled(dim, "log:") + " " + printable.Line(strings.Join(f.Logs, ", ")) + "\n")
		}
	}
}
