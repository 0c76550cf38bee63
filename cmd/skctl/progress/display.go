package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/simulation"
)

const (
	redrawEvery = 200 * time.Millisecond
	lineEvery   = 10 * time.Second
)

// Options say where a Display draws.
type Options struct {
	// Live draws in place, as only a terminal can.
	Live   bool
	Colour bool
	// Width returns the width of the terminal, which may change. Nil: 80.
	Width func() int
	// Clock tells when to draw. Nil: the real one.
	Clock clock.PassiveClock
}

// Display shows progress and notes on a writer. It is safe for concurrent use.
type Display struct {
	mu    sync.Mutex // guards everything below
	w     io.Writer
	opts  Options
	lines int // drawn and standing
	last  simulation.Progress
	drawn time.Time
}

// New returns a Display; Close it before printing anything else.
func New(w io.Writer, opts Options) *Display {
	if opts.Width == nil {
		opts.Width = func() int { return 80 }
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	return &Display{w: w, opts: opts}
}

// Update shows p, at once if the phase is a new one and otherwise not too often.
func (d *Display) Update(p simulation.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	every := lineEvery
	if d.opts.Live {
		every = redrawEvery
	}
	changed := p.Phase != d.last.Phase
	d.last = p
	now := d.opts.Clock.Now()
	if !changed && now.Sub(d.drawn) < every {
		return
	}
	d.drawn = now
	if !d.opts.Live {
		fmt.Fprintln(d.w, Line(p))
		return
	}
	d.redraw("")
}

// Note prints a note above the progress.
func (d *Display) Note(n simulation.Note) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text := n.Text
	if n.Level == simulation.Warning {
		text = pen{colour: d.opts.Colour}.warn("warning: ") + text
	}
	text += "\n"
	if !d.opts.Live {
		fmt.Fprint(d.w, text)
		return
	}
	d.redraw(text)
}

// Close takes the live lines away.
func (d *Display) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opts.Live {
		d.last.Phase = ""
		d.redraw("")
	}
}

// redraw replaces the standing lines by a text that stays and the lines of now, in one
// write, so that nothing flickers.
func (d *Display) redraw(text string) {
	var b strings.Builder
	if d.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", d.lines) // to the first line
	}
	b.WriteString("\r\x1b[J") // clear from here on
	b.WriteString(text)
	d.lines = 0
	if d.last.Phase != "" {
		for _, line := range Render(d.last, d.opts.Width()-1, d.opts.Colour) {
			b.WriteString(line + "\n")
			d.lines++
		}
	}
	fmt.Fprint(d.w, b.String())
}
