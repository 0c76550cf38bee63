package results

import "time"

// TimeMap says which instant of the trace an instant of the clock stands for: at ClockStart the
// replay stands at TraceStart, and from there trace time runs Speed times as fast as the clock.
// The zero value maps every instant to itself.
type TimeMap struct {
	ClockStart time.Time
	TraceStart time.Time
	// Speed is trace seconds per clock second; 0 and below count as 1.
	Speed float64
	// Pauses are when the replay stood still, in order and apart. One that has no end goes on.
	Pauses []Span
}

// Span is some time on the clock.
type Span struct{ From, To time.Time }

// overlap tells how much of a span lies between two instants.
func (s Span) overlap(from, to time.Time) time.Duration {
	if s.From.After(from) {
		from = s.From
	}
	if !s.To.IsZero() && s.To.Before(to) {
		to = s.To
	}
	return max(0, to.Sub(from))
}

// Trace returns the instant of the trace, in UTC, that stands for an instant of the clock. The zero
// time, which means "never" everywhere in this package, stays zero.
func (m TimeMap) Trace(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	if m.ClockStart.IsZero() {
		return t.UTC()
	}
	since := t.Sub(m.ClockStart)
	for _, pause := range m.Pauses {
		since -= pause.overlap(m.ClockStart, t)
	}
	return m.TraceStart.Add(time.Duration(float64(since) * m.speed())).UTC()
}

func (m TimeMap) speed() float64 {
	if m.Speed <= 0 {
		return 1
	}
	return m.Speed
}
