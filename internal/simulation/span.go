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
	// maxIdle is how long nothing may happen in virtual time. An idle day takes half a minute with
	// ten nodes and five with a thousand, so a month is some minutes or a few hours, and a year is
	// not what somebody meant.
	maxIdle = 31 * day
	// maxSpan is how long a trace may be at all: clocks count nanoseconds in 64 bits, which is 292
	// years.
	maxSpan = 250 * year
	// longReplay is from what length on a replay on the wall clock is remarked upon.
	longReplay = 7 * day
)

// ErrTooLong is wrapped when a trace is longer than a simulation can or should be.
var ErrTooLong = errors.New("replay a part of it with --duration, or cut it with skctl trace slice")

// gap is a stretch of a trace in which nothing is recorded.
type gap struct {
	// event is the index of the event in front of it.
	event    int
	from, to int64
	// last says that no event follows, only the end of a recorded pod.
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

// distance is how long it is from one time of a trace to a later one, as far as 64 bits can say,
// and 0 for an earlier one.
func distance(from, to int64) int64 {
	switch {
	case to <= from:
		return 0
	case from < 0 && to > math.MaxInt64+from:
		return math.MaxInt64
	}
	return to - from
}

// span looks for the longest gap of a trace.
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

// end takes in when the last recorded pod ends.
func (s *span) end(t int64) { s.consider(gap{event: s.events - 1, from: s.latest, to: t, last: true}) }

func (s *span) consider(g gap) {
	if g.length() > s.longest.length() {
		s.longest = g
	}
}

// checkLength returns an error for a trace that a simulation cannot go through, or not in
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

// longNote remarks on a replay that takes very long on the wall clock, or is empty.
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

// instant writes a time of a trace: as a date, if it is in a year that people write.
func instant(t int64) string {
	const lastYear = 9999
	at := time.Unix(t, 0).UTC()
	if t < -62_000_000_000 || t > 253_000_000_000 || at.Year() > lastYear {
		return fmt.Sprintf("second %d", t)
	}
	return at.Format(time.RFC3339)
}

// lengthText writes a length of trace in its two largest units.
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
