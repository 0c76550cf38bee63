package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// Transfer shows how much data has arrived, and how fast, as a Display does. It is safe for
// concurrent use.
type Transfer struct {
	mu       sync.Mutex // guards everything below
	screen   screen
	opts     Options
	what     string
	bytes    int64
	begin    time.Time // when the first byte arrived
	drawn    time.Time
	finished bool
}

// NewTransfer returns a Transfer that shows what is being transferred until data arrives. Close it
// before printing anything else.
func NewTransfer(w io.Writer, what string, opts Options) *Transfer {
	t := &Transfer{screen: screen{w: w}, opts: opts.withDefaults(), what: printable.Line(what)}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.draw()
	return t
}

// Add counts bytes that have arrived. It redraws the line at most once per interval.
func (t *Transfer) Add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.opts.Clock.Now()
	if t.bytes == 0 {
		t.begin = now
	}
	t.bytes += int64(n)
	every := lineEvery
	if t.opts.Live {
		every = redrawEvery
	}
	if now.Sub(t.drawn) >= every {
		t.draw()
	}
}

// Close clears the live line.
func (t *Transfer) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.opts.Live && !t.finished {
		t.screen.redraw("", nil)
	}
	t.finished = true
}

func (t *Transfer) draw() {
	if t.finished {
		return
	}
	t.drawn = t.opts.Clock.Now()
	text := ""
	if t.bytes > 0 {
		text = Bytes(t.bytes)
		if took := t.drawn.Sub(t.begin); took >= redrawEvery {
			text += ", " + Bytes(int64(float64(t.bytes)/took.Seconds())) + "/s"
		}
	}
	if !t.opts.Live {
		if text != "" {
			text = ": " + text
		}
		fmt.Fprintln(t.screen.w, t.what+text)
		return
	}
	pen, width := pen{colour: t.opts.Colour}, t.opts.Width()-1
	head := words.Clip(t.what, width)
	if text != "" {
		text = words.Clip("  "+text, width-len([]rune(head)))
	}
	t.screen.redraw("", []string{pen.bold(head) + text})
}

// Bytes formats a size with three significant digits: "512 B", "12.3 MB".
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), "B"
	for _, next := range []string{"kB", "MB", "GB", "TB"} {
		// A value that would round to 1000 uses the next unit.
		if value < 999.5 {
			break
		}
		value, unit = value/1000, next
	}
	digits := 2
	switch {
	case value >= 99.95:
		digits = 0
	case value >= 9.995:
		digits = 1
	}
	return fmt.Sprintf("%.*f %s", digits, value, unit)
}
