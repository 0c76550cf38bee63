package replay

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Pauser pauses a replay and has it go on, at any moment. Deadlines that are not reached yet move by exactly the
// time that was paused, from Pause to Resume by its clock. Requests whose deadline was reached are not held up, nor is
// Settle. It is safe for concurrent use, and serves one Run after the other.
type Pauser struct {
	clock clock.Clock

	mu sync.Mutex
	// since is when the pause that is going on began, over how long those before it were.
	since  time.Time
	paused bool
	over   time.Duration
	// changed is closed at the next Pause or Resume.
	changed chan struct{}
}

// NewPauser makes a Pauser that is not paused. Its clock must be that of the engine.
func NewPauser(clock clock.Clock) *Pauser {
	return &Pauser{clock: clock, changed: make(chan struct{})}
}

// Pause holds the replay up from now on. It does nothing when that is so already.
func (p *Pauser) Pause() { p.set(true) }

// Resume has the replay go on. It does nothing when it is not paused.
func (p *Pauser) Resume() { p.set(false) }

func (p *Pauser) set(paused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused == paused {
		return
	}
	now := p.clock.Now()
	if paused {
		p.since = now
	} else {
		p.over = p.shiftAt(now)
	}
	p.paused = paused
	close(p.changed)
	p.changed = make(chan struct{})
}

// Paused tells whether it is paused.
func (p *Pauser) Paused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused
}

// Shift is how long it was paused so far, a pause that is going on included.
func (p *Pauser) Shift() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shiftAt(p.clock.Now())
}

// shiftAt is Shift at a moment. The caller holds the lock.
func (p *Pauser) shiftAt(now time.Time) time.Duration {
	if !p.paused {
		return p.over
	}
	return p.over + max(0, now.Sub(p.since))
}

// state gives, of one moment, whether it is paused, the time and the shift until then, and what is closed when that changes.
func (p *Pauser) state() (paused bool, now time.Time, shift time.Duration, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now = p.clock.Now()
	return p.paused, now, p.shiftAt(now), p.changed
}
