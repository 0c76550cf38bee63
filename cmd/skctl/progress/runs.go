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

// maxRunLines is how many runs are shown at once: lines that had scrolled off the top could not be redrawn, and even
// small terminals have this many.
const maxRunLines = 16

// Runs shows how far several simulations are that go side by side: on a terminal a line for each, elsewhere a line
// now and then. It is safe for concurrent use.
type Runs struct {
	mu     sync.Mutex // guards everything below
	screen screen
	opts   Options
	state  RunsState
	drawn  time.Time         // when the live lines were
	told   map[int]time.Time // when a line about a run was printed last, where nothing is live
	notes  map[string]bool   // that were shown
}

// RunsState is how far several simulations are.
type RunsState struct {
	// Count is how many there are to be; Ended, and Failed of these.
	Count, Ended, Failed int
	// Running are those that go, by number.
	Running map[int]simulation.Progress
}

// NewRuns returns a display of so many runs; Close it before printing anything else.
func NewRuns(w io.Writer, count int, opts Options) *Runs {
	return &Runs{
		screen: screen{w: w},
		opts:   opts.withDefaults(),
		state:  RunsState{Count: count, Running: map[int]simulation.Progress{}},
		told:   map[int]time.Time{},
		notes:  map[string]bool{},
	}
}

// Update shows how far a run is: at once if it is new or begins to replay, and otherwise not too often.
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
	// Together they print as often as one would.
	every := lineEvery * time.Duration(len(r.state.Running))
	if news || now.Sub(r.told[number]) >= every {
		r.told[number] = now
		r.print(r.name(number) + ": " + Line(p) + "\n")
	}
}

// Note shows a note of a run, unless another has said the same: most notes are about what all have in common.
func (r *Runs) Note(number int, n simulation.Note) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.notes[n.Text] {
		return
	}
	r.notes[n.Text] = true
	r.print(r.name(number) + ": " + noteText(n, r.opts.Colour) + "\n")
}

// End shows how a run ended.
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

// Close takes the live lines away.
func (r *Runs) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opts.Live {
		r.screen.redraw("", nil)
	}
}

func (r *Runs) name(number int) string { return "run " + results.RunLabel(number, r.state.Count) }

// print writes a text that stays.
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

// RenderRuns returns the lines that show s on a terminal of the given width, under the promises of [Render].
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

// runLine is the headline of a run, with what it waits for while it does not replay.
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
