package driver

import (
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/results"
)

// pauses knows whether the simulation is paused, and hands that on to the repetition under way. It is safe for concurrent use.
type pauses struct {
	clock clock.Clock

	mu      sync.Mutex
	paused  bool
	from    time.Time // when the pause that goes on began, according to the simulation
	current *replay.Pauser
	spans   []results.Span
}

// set tells since when the simulation is paused, nil if it is not, and returns whether that is news.
func (p *pauses) set(since *metav1.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from = time.Time{}
	if since != nil {
		p.from = since.Time
	}
	paused := since != nil
	if p.paused == paused {
		return false
	}
	p.paused = paused
	if p.current != nil {
		p.note()
	}
	return true
}

// note applies the present state to the current repetition. The caller holds the lock.
func (p *pauses) note() {
	now := p.clock.Now()
	switch {
	case p.paused:
		p.current.Pause()
		p.spans = append(p.spans, results.Span{From: now})
	case len(p.spans) > 0:
		p.current.Resume()
		p.spans[len(p.spans)-1].To = now
	}
}

// begin gives what pauses a repetition that begins now.
func (p *pauses) begin() *replay.Pauser {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current, p.spans = replay.NewPauser(p.clock), nil
	p.note()
	return p.current
}

func (p *pauses) isPaused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused
}

// since tells when the pause that goes on began; zero if there is none.
func (p *pauses) since() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.from
}

// list gives the pauses of the current repetition.
func (p *pauses) list() []results.Span {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.spans)
}
