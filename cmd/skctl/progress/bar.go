package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// Bar shows how much of a known amount of work is done, and an estimate of the remaining time, as a
// Display does. It shows nothing for work that takes less than a second. It is safe for concurrent
// use.
type Bar struct {
	mu       sync.Mutex // guards everything below
	screen   screen
	opts     Options
	what     string
	unit     string
	total    int64
	begin    time.Time
	drawn    time.Time
	finished bool
}

// barQuiet is how long a Bar shows nothing.
const barQuiet = time.Second

// NewBar returns a Bar for an amount of work in some unit, such as "events". Close it before
// printing anything else.
func NewBar(w io.Writer, what, unit string, total int64, opts Options) *Bar {
	b := &Bar{screen: screen{w: w}, opts: opts.withDefaults(), what: printable.Line(what), unit: unit, total: total}
	b.begin = b.opts.Clock.Now()
	return b
}

// Set sets how much is done. It redraws the bar at most once per interval.
func (b *Bar) Set(done int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.opts.Clock.Now()
	if b.finished || now.Sub(b.begin) < barQuiet {
		return
	}
	every := lineEvery
	if b.opts.Live {
		every = redrawEvery
	}
	if now.Sub(b.drawn) < every {
		return
	}
	b.drawn = now
	line := BarLine(b.what, b.unit, done, b.total, now.Sub(b.begin))
	if !b.opts.Live {
		fmt.Fprintln(b.screen.w, line)
		return
	}
	width := b.opts.Width() - 1
	meter := barMeter(done, b.total)
	if len([]rune(line))+len([]rune(meter))+2 <= width {
		line = meter + "  " + line
	}
	b.screen.redraw("", []string{words.Clip(line, width)})
}

// Close clears the live line.
func (b *Bar) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opts.Live && !b.finished {
		b.screen.redraw("", nil)
	}
	b.finished = true
}

// BarLine returns the text beside a bar: "checking day.sktrace: 41%, 410,000 of 1,000,000 events,
// about 7s left".
func BarLine(what, unit string, done, total int64, took time.Duration) string {
	if total <= 0 {
		return fmt.Sprintf("%s: %s %s", what, words.Number(done), unit)
	}
	done = min(done, total)
	line := fmt.Sprintf("%s: %d%%, %s of %s %s", what, done*100/total, words.Number(done), words.Number(total), unit)
	// The first hundredth does not allow an estimate.
	if done >= total/100+1 && done < total {
		left := time.Duration(float64(took) / float64(done) * float64(total-done)).Round(time.Second)
		line += fmt.Sprintf(", about %s left", max(left, time.Second))
	}
	return line
}

// meterCells is the length of the meter.
const meterCells = 20

func barMeter(done, total int64) string {
	if total <= 0 {
		return ""
	}
	full := int(min(done, total) * meterCells / total)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", meterCells-full) + "]"
}
