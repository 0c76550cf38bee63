package replay

import (
	"math"
	"time"
)

// schedule computes deadlines.
type schedule struct {
	start  time.Time
	origin int64
	speed  float64
}

// due returns the deadline for a time of the trace. It is computed from the start, so that rounding
// errors do not add up.
func (s schedule) due(traceTime int64) time.Time {
	seconds := float64(traceTime-s.origin) / s.speed
	whole, part := math.Modf(seconds)
	const limit = float64(math.MaxInt64/int64(time.Second)) - 1
	if whole = max(-limit, min(limit, whole)); math.Abs(whole) == limit {
		part = 0
	}
	return s.start.Add(time.Duration(whole)*time.Second + time.Duration(math.Round(part*float64(time.Second))))
}

// after returns the deadline for a duration since the origin.
func (s schedule) after(d time.Duration) time.Time {
	return s.start.Add(time.Duration(math.Round(float64(d) / s.speed)))
}

// minute returns the time on the clock, in whole minutes, that is as many minutes before the start
// as a whole minute of the trace is before the origin.
func (s schedule) minute(traceTime int64) time.Time {
	minutes := s.origin/60 - traceTime/60
	return s.start.Truncate(time.Minute).Add(-time.Duration(minutes) * time.Minute)
}
