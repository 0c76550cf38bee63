package xray

import (
	"strconv"
	"strings"
	"time"

	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/internal/timespec"
)

// prompt is a line of input at the bottom.
type prompt struct {
	asks promptKind
	in   input
}

type promptKind uint8

const (
	promptSearch promptKind = iota
	promptTime
)

func (p *prompt) label() string {
	if p.asks == promptSearch {
		return "/"
	}
	return "go to (10:30, +2h, -5m, #event): "
}

// view draws the prompt. It returns the column of the cursor.
func (p *prompt) view(width int) (l line, x int) {
	label := p.label()
	if cells(label)+8 > width {
		label = cut(label, max(1, width/4), "")
	}
	text, at := p.in.draw(width - cells(label))
	l.add(roleKey, label)
	l.add(rolePlain, text)
	return l, min(cells(label)+at, max(0, width-1))
}

// destination is a position in a trace: a time or the number of an event.
type destination struct {
	time    int64
	event   int
	isEvent bool
}

// eventIn returns the event, as far as the trace is indexed.
func (d destination) eventIn(file *timeline.File) int {
	if d.isEvent {
		return d.event
	}
	return file.At(d.time)
}

// readDestination parses a position: a time of day on the date of day, a duration from the start of
// the trace or back from its end, a time, or the number of an event.
func readDestination(s string, day, first, last int64) (destination, error) {
	s = strings.TrimSpace(s)
	if number, ok := strings.CutPrefix(s, "#"); ok {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return destination{}, errNoEvent
		}
		return destination{event: n - 1, isEvent: true}, nil
	}
	for _, layout := range []string{time.TimeOnly, "15:04"} {
		if at, err := time.Parse(layout, s); err == nil {
			y, m, d := time.Unix(day, 0).UTC().Date()
			return destination{time: time.Date(y, m, d, at.Hour(), at.Minute(), at.Second(), 0, time.UTC).Unix()}, nil
		}
	}
	base := first
	if strings.HasPrefix(s, "-") {
		base = last
	}
	at, err := timespec.ParseTime(s, time.Unix(last, 0).UTC(), time.Unix(base, 0).UTC())
	if err != nil {
		return destination{}, errNoTime
	}
	return destination{time: at.Unix()}, nil
}
