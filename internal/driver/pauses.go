package driver

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/replay"
)

// pauses pauses and resumes the current repetition as the Simulation says. It is safe for
// concurrent use.
type pauses struct {
	clock clock.Clock

	mu       sync.Mutex
	isPaused bool
	// from is when the present pause began, according to the Simulation; zero if there is none.
	from    time.Time
	current *replay.Pauser
}

// set sets since when the Simulation is paused, nil if it is not, and reports whether it was paused
// or resumed.
func (p *pauses) set(since *metav1.Time) (changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.isPaused
	p.isPaused, p.from = since != nil, time.Time{}
	if since != nil {
		p.from = since.Time
	}
	p.apply()
	return p.isPaused != before
}

// apply pauses or resumes the current repetition. The caller holds the lock.
func (p *pauses) apply() {
	switch {
	case p.current == nil:
	case p.isPaused:
		p.current.Pause()
	default:
		p.current.Resume()
	}
}

// begin returns the Pauser of a repetition that starts now.
func (p *pauses) begin() *replay.Pauser {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = replay.NewPauser(p.clock)
	p.apply()
	return p.current
}

// paused reports whether the Simulation is paused.
func (p *pauses) paused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isPaused
}

// since returns when the present pause began; zero if there is none.
func (p *pauses) since() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.from
}
