package simulation

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"

	"simkube.io/simkube/internal/words"
)

const (
	day  = 24 * 60 * 60 // in seconds, as all lengths of traces here
	year = 365 * day
	// maxIdle is the longest time without an event in virtual time. An idle day takes half a minute
	// with ten nodes and five with a thousand, so a month takes minutes or a few hours. A year is most
	// likely a mistake.
	maxIdle = 31 * day
	// maxSpan is the maximum length of a trace: clocks count nanoseconds in 64 bits, which is 292
	// years.
	maxSpan = 250 * year
	// longReplay is the length from which a note warns of a long replay on the wall clock.
	longReplay = 7 * day
)

// ErrTooLong is wrapped in the error for a trace that is longer than a simulation can or should be.
var ErrTooLong = errors.New("replay a part of it with --duration, or cut it with skctl trace slice")

// gap is a time in the trace without an event.
type gap struct {
	// event is the index of the event before the gap.
	event    int
	from, to int64
	// last reports whether no event follows, only the end of a recorded pod.
	last bool
}

func (g gap) length() int64 { return distance(g.from, g.to) }

func (g gap) String() string {
	next := fmt.Sprintf("event %d", g.event+1)
	if g.last {
		next = "the end of the last recorded pod"
	}
	return fmt.Sprintf("between event %d (%s) and %s (%s) there are %s without an event",
		g.event, instant(g.from), next, instant(g.to), lengthText(g.length()))
}

// distance returns the seconds from one time of a trace to a later one, at most what 64 bits hold.
// It returns 0 if the second time is earlier.
func distance(from, to int64) int64 {
	switch {
	case to <= from:
		return 0
	case from < 0 && to > math.MaxInt64+from:
		return math.MaxInt64
	}
	return to - from
}

// span finds the longest gap of a trace.
type span struct {
	events  int
	latest  int64 // of the events so far
	longest gap
}

func (s *span) add(t int64) {
	if s.events > 0 {
		s.consider(gap{event: s.events - 1, from: s.latest, to: t})
		t = max(t, s.latest)
	}
	s.latest = t
	s.events++
}

// end adds the end of the last recorded pod.
func (s *span) end(t int64) { s.consider(gap{event: s.events - 1, from: s.latest, to: t, last: true}) }

func (s *span) consider(g gap) {
	if g.length() > s.longest.length() {
		s.longest = g
	}
}

// checkLength returns an error for a trace that is too long to simulate, or to simulate in
// reasonable time.
func (p *Prepared) checkLength(longest gap) error {
	length := distance(p.origin, p.end)
	speed := cmp.Or(p.spec.Speed, 1)
	switch {
	case length > maxSpan || float64(length)/speed > maxSpan:
		return fmt.Errorf("the trace goes from %s to %s, longer than any clock can count: %s: %w", instant(p.origin), instant(p.end), longest, ErrTooLong)
	case p.spec.Time == Virtual && longest.length() > maxIdle:
		return fmt.Errorf("%s, and virtual time is not that fast: more than %s at a time are not replayed: %w", longest, lengthText(maxIdle), ErrTooLong)
	}
	return nil
}

// longNote returns a note about a replay that takes very long on the wall clock. It may be empty.
func (p *Prepared) longNote() string {
	wall := float64(distance(p.origin, p.end)) / cmp.Or(p.spec.Speed, 1)
	if p.spec.Time == Virtual || wall <= longReplay {
		return ""
	}
	note := fmt.Sprintf("on the wall clock this replay takes %s", lengthText(int64(wall)))
	if p.longest.length() > maxIdle {
		note += ": " + p.longest.String()
	}
	return note
}

// instant formats a time of a trace, as a date if the year is a common one.
func instant(t int64) string {
	const lastYear = 9999
	at := time.Unix(t, 0).UTC()
	if t < -62_000_000_000 || t > 253_000_000_000 || at.Year() > lastYear {
		return fmt.Sprintf("second %d", t)
	}
	return at.Format(time.RFC3339)
}

// lengthText formats a length in its two largest units.
func lengthText(seconds int64) string {
	years, days := seconds/year, seconds%year/day
	hours := seconds % day / (60 * 60)
	switch {
	case years >= 10 || years > 0 && days == 0:
		return words.Count(years, "year")
	case years > 0:
		return words.Count(years, "year") + " and " + words.Count(days, "day")
	case days > 0 && hours > 0:
		return words.Count(days, "day") + " and " + words.Count(hours, "hour")
	case days > 0:
		return words.Count(days, "day")
	}
	return (time.Duration(seconds) * time.Second).String()
}
