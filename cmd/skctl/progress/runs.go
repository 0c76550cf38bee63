package progress

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/words"
)

// maxRunLines is how many runs are shown at once. Lines that have scrolled off the top cannot be
// redrawn, and even small terminals have this many.
const maxRunLines = 16

// Runs shows the progress of several simultaneous simulations: on a terminal a line for each,
// elsewhere a line every now and then. It is safe for concurrent use.
type Runs struct {
	mu      sync.Mutex // guards everything below
	screen  screen
	opts    Options
	state   RunsState
	drawn   time.Time         // when the live lines were drawn
	printed map[int]time.Time // when a line about a run was last printed, if not live
	notes   map[string]bool   // notes that were shown
}

// RunsState is the progress of several simulations.
type RunsState struct {
	// Count is the number of runs, Ended those that have ended, and Failed those of them that failed.
	Count, Ended, Failed int
	// Running is the progress of the running ones, by number.
	Running map[int]simulation.Progress
}

// NewRuns returns a display of several runs. Close it before printing anything else.
func NewRuns(w io.Writer, count int, opts Options) *Runs {
	return &Runs{
		screen:  screen{w: w},
		opts:    opts.withDefaults(),
		state:   RunsState{Count: count, Running: map[int]simulation.Progress{}},
		printed: map[int]time.Time{},
		notes:   map[string]bool{},
	}
}

// Update shows the progress of a run: at once if it is new or starts to replay, and otherwise at
// most once per interval.
func (r *Runs) Update(number int, p simulation.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.Detail = printable.Line(p.Detail)
	before, known := r.state.Running[number]
	r.state.Running[number] = p
	now := r.opts.Clock.Now()
	news := !known || p.Phase == simulation.Replaying && before.Phase != p.Phase
	if r.opts.Live {
		if news || now.Sub(r.drawn) >= redrawEvery {
			r.redraw("")
		}
		return
	}
	// All of them together print as often as a single run.
	every := lineEvery * time.Duration(len(r.state.Running))
	if news || now.Sub(r.printed[number]) >= every {
		r.printed[number] = now
		r.print(r.name(number) + ": " + Line(p) + "\n")
	}
}

// Note shows a note of a run unless another has shown the same: most notes apply to all of them.
func (r *Runs) Note(number int, n simulation.Note) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.notes[n.Text] {
		return
	}
	r.notes[n.Text] = true
	r.print(r.name(number) + ": " + noteText(n, r.opts.Colour) + "\n")
}

// End shows the result of a run.
func (r *Runs) End(run results.Repetition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.state.Running, run.Number)
	r.state.Ended++
	pen := pen{colour: r.opts.Colour}
	text := r.name(run.Number) + ": " + run.Status.Text()
	if run.Status == results.RunFailed {
		r.state.Failed++
		first, _, _ := strings.Cut(run.Error, "\n")
		text = r.name(run.Number) + ": " + pen.warn(run.Status.Text()) + ": " + printable.Line(first)
	}
	if m := run.Measures; m != nil {
		value := func(key string) string { return results.MeasureOf(key).Unit.Format(m[key]) }
		text += fmt.Sprintf(": %s pods, p99 wait %s, %s nodes, took %s", value(results.MeasurePods),
			value(results.MeasurePendingP99), value(results.MeasurePeakNodes), value(results.MeasureWallSeconds))
	}
	r.print(text + "\n")
}

// Close clears the live lines.
func (r *Runs) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opts.Live {
		r.screen.redraw("", nil)
	}
}

func (r *Runs) name(number int) string { return "run " + results.RunLabel(number, r.state.Count) }

// print prints a permanent text.
func (r *Runs) print(text string) {
	if r.opts.Live {
		r.redraw(text)
		return
	}
	fmt.Fprint(r.screen.w, text)
}

func (r *Runs) redraw(text string) {
	r.drawn = r.opts.Clock.Now()
	r.screen.redraw(text, RenderRuns(r.state, r.opts.Width()-1, r.opts.Colour))
}

// RenderRuns returns the lines that show s on a terminal of the given width; see [Render].
func RenderRuns(s RunsState, width int, colour bool) []string {
	pen := pen{colour: colour}
	var numbers []int
	for number := range s.Running {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	head := fmt.Sprintf("%s of %s done, %s running", words.Number(s.Ended), words.Number(s.Count), words.Number(len(numbers)))
	if s.Failed > 0 {
		head += ", " + words.Number(s.Failed) + " failed"
	}
	lines := []string{pen.bold(words.Clip(head, width))}
	for _, number := range numbers[:min(len(numbers), maxRunLines)] {
		label := words.Clip(pad("run "+results.RunLabel(number, s.Count)), width)
		lines = append(lines, pen.dim(label)+runLine(s.Running[number], width-len(label), pen))
	}
	if hidden := len(numbers) - maxRunLines; hidden > 0 {
		lines = append(lines, pen.dim(words.Clip(pad("")+"and "+words.Number(hidden)+" more", width)))
	}
	return lines
}

// runLine returns the headline of a run, with what it is waiting for unless it is replaying.
func runLine(p simulation.Progress, width int, pen pen) string {
	if _, ok := share(p); ok && p.Phase == simulation.Replaying {
		return headline(p, width, pen)
	}
	text := string(p.Phase)
	if p.Detail != "" {
		text += ", " + p.Detail
	}
	return words.Clip(text, width)
}
