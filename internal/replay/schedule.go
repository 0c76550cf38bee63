package replay

import (
	"math"
	"time"
)

// schedule says when what happened in the trace is due.
type schedule struct {
	start  time.Time
	origin int64
	speed  float64
}

// due computes a deadline from the start alone, so that rounding never adds up.
func (s schedule) due(traceTime int64) time.Time {
	seconds := float64(traceTime-s.origin) / s.speed
	whole, part := math.Modf(seconds)
	const most = float64(math.MaxInt64/int64(time.Second)) - 1
	if whole = max(-most, min(most, whole)); math.Abs(whole) == most {
		part = 0
	}
	return s.start.Add(time.Duration(whole)*time.Second + time.Duration(math.Round(part*float64(time.Second))))
}

// after is due for a duration since the origin.
func (s schedule) after(d time.Duration) time.Time {
	return s.start.Add(time.Duration(math.Round(float64(d) / s.speed)))
}
