package replay

import (
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Pause is a time in which a replay was paused. To is zero while the pause is not over.
type Pause struct{ From, To time.Time }

// Pauser pauses and resumes a replay at any time. Deadlines that are not reached yet shift by
// exactly the time that was paused, from Pause to Resume by its clock. Requests whose deadline was
// reached are not held up, nor is Settle. It is safe for concurrent use, and may be used for one
// Run after the other.
type Pauser struct {
	clock clock.Clock

	mu     sync.Mutex
	pauses []Pause
	// changed is closed at the next Pause or Resume.
	changed chan struct{}
}

// NewPauser returns a Pauser that is not paused. Its clock must be that of the engine.
func NewPauser(clock clock.Clock) *Pauser {
	return &Pauser{clock: clock, changed: make(chan struct{})}
}

// Pause pauses the replay. It does nothing if the replay is paused.
func (p *Pauser) Pause() { p.set(true) }

// Resume resumes the replay. It does nothing if the replay is not paused.
func (p *Pauser) Resume() { p.set(false) }

func (p *Pauser) set(paused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused() == paused {
		return
	}
	now := p.clock.Now()
	if paused {
		p.pauses = append(p.pauses, Pause{From: now})
	} else {
		p.pauses[len(p.pauses)-1].To = now
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// Paused reports whether the replay is paused.
func (p *Pauser) Paused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused()
}

// paused is Paused for a caller that holds the lock.
func (p *Pauser) paused() bool {
	return len(p.pauses) > 0 && p.pauses[len(p.pauses)-1].To.IsZero()
}

// Pauses returns the pauses so far, in order.
func (p *Pauser) Pauses() []Pause {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.pauses)
}

// Shift returns how long the replay was paused so far, including a pause that is not over.
func (p *Pauser) Shift() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shiftAt(p.clock.Now())
}

// shiftAt is Shift at a time, for a caller that holds the lock.
func (p *Pauser) shiftAt(now time.Time) (shift time.Duration) {
	for _, pause := range p.pauses {
		if pause.To.IsZero() {
			pause.To = now
		}
		shift += max(0, pause.To.Sub(pause.From))
	}
	return shift
}

// state returns whether the replay is paused, the time and the shift, all at the same time, and a
// channel that is closed when they change.
func (p *Pauser) state() (paused bool, now time.Time, shift time.Duration, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now = p.clock.Now()
	return p.paused(), now, p.shiftAt(now), p.changed
}
