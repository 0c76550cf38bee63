package results

import "time"

// TimeMap maps times on the clock to trace time: ClockStart corresponds to TraceStart, and from
// there trace time runs Speed times as fast as the clock. The zero value maps every time to itself.
type TimeMap struct {
	ClockStart time.Time
	TraceStart time.Time
	// Speed is trace seconds per clock second; 0 and below count as 1.
	Speed float64
	// Pauses are when the replay was paused, in order and without overlap. One without an end lasts
	// until now.
	Pauses []Span
}

// Span is a period on the clock.
type Span struct{ From, To time.Time }

// overlap returns how much of a span is between two times.
func (s Span) overlap(from, to time.Time) time.Duration {
	if s.From.After(from) {
		from = s.From
	}
	if !s.To.IsZero() && s.To.Before(to) {
		to = s.To
	}
	return max(0, to.Sub(from))
}

// Trace returns the trace time, in UTC, for a time on the clock. The zero time means "never"
// throughout this package, and stays zero.
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
