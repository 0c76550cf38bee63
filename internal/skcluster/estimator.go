package skcluster

import (
	"time"

	"simkube.io/simkube/internal/simulation"
)

// estimator estimates the remaining time of a simulation in virtual time by its pace so far.
type estimator struct {
	began time.Time // when the replay was first observed
	from  time.Time // the trace's clock at that time
}

// eta must be called with each progress, in order. It returns 0 if the time is not known yet.
func (e *estimator) eta(p *simulation.Progress, now time.Time) time.Duration {
	switch {
	case p.Phase != simulation.Replaying || p.TraceTime.IsZero():
		return 0
	case e.began.IsZero():
		e.began, e.from = now, p.TraceTime
	}
	passed := p.TraceTime.Sub(e.from)
	if passed <= 0 {
		return 0
	}
	return time.Duration(float64(p.TraceEnd.Sub(p.TraceTime)) / float64(passed) * float64(now.Sub(e.began)))
}
