package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/simulation"
)

const (
	redrawEvery = 200 * time.Millisecond
	lineEvery   = 10 * time.Second
)

// Options configure how a Display draws.
type Options struct {
	// Live means to redraw in place, which needs a terminal.
	Live   bool
	Colour bool
	// Width returns the width of the terminal, which may change. Nil means 80.
	Width func() int
	// Clock decides when to draw. Nil means the real one.
	Clock clock.PassiveClock
}

// Display shows progress and notes on a writer. It is safe for concurrent use.
type Display struct {
	mu     sync.Mutex // guards everything below
	screen screen
	opts   Options
	last   simulation.Progress
	drawn  time.Time
}

// New returns a Display. Close it before printing anything else.
func New(w io.Writer, opts Options) *Display {
	return &Display{screen: screen{w: w}, opts: opts.withDefaults()}
}

func (o Options) withDefaults() Options {
	if o.Width == nil {
		o.Width = func() int { return 80 }
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return o
}

// Update shows p, at once if the phase is new and otherwise at most once per interval.
func (d *Display) Update(p simulation.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	every := lineEvery
	if d.opts.Live {
		every = redrawEvery
	}
	p.Detail = printable.Line(p.Detail)
	changed := p.Phase != d.last.Phase
	d.last = p
	now := d.opts.Clock.Now()
	if !changed && now.Sub(d.drawn) < every {
		return
	}
	d.drawn = now
	if !d.opts.Live {
		fmt.Fprintln(d.screen.w, Line(p))
		return
	}
	d.redraw("")
}

// Note prints a note above the progress.
func (d *Display) Note(n simulation.Note) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text := noteText(n, d.opts.Colour) + "\n"
	if !d.opts.Live {
		fmt.Fprint(d.screen.w, text)
		return
	}
	d.redraw(text)
}

func noteText(n simulation.Note, colour bool) string {
	text := printable.Text(n.Text)
	if n.Level == simulation.Warning {
		return pen{colour: colour}.warn("warning: ") + text
	}
	return text
}

// Close clears the live lines.
func (d *Display) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opts.Live {
		d.last.Phase = ""
		d.redraw("")
	}
}

func (d *Display) redraw(text string) {
	var lines []string
	if d.last.Phase != "" {
		lines = Render(d.last, d.opts.Width()-1, d.opts.Colour)
	}
	d.screen.redraw(text, lines)
}

// screen draws lines on a terminal, in place of those it drew before.
type screen struct {
	w     io.Writer
	lines int // drawn and not cleared
}

// redraw replaces the live lines by a permanent text and new live lines, in one write to avoid
// flickering.
func (s *screen) redraw(text string, lines []string) {
	var b strings.Builder
	if s.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", s.lines) // to the first line
	}
	b.WriteString("\r\x1b[J") // clear from here on
	b.WriteString(text)
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	s.lines = len(lines)
	fmt.Fprint(s.w, b.String())
}
