package watch

import (
	"math/rand/v2"
	"time"
)

const (
	// What a network or an API server gets over by itself: quick at first, as most of it is short.
	quickLeast = 800 * time.Millisecond
	quickMost  = 30 * time.Second
	// What somebody has to repair: a kind to install, a right to grant.
	slowLeast = 5 * time.Second
	slowMost  = time.Minute
	// healthy is how long an attempt has to last for the waits to begin from their least again.
	healthy = 10 * time.Second
	// listed is that for the waits before lists, which cost the API server more.
	listed = time.Minute
	// patience is the longest wait that an API server may ask for.
	patience = 5 * time.Minute
)

// backoff gives waits from least to most that double, spread so that many watchers don't come at once.
type backoff struct {
	least, most time.Duration
	step        time.Duration
}

// next gives the next wait: between its step and one and a half of it.
func (b *backoff) next() time.Duration {
	b.step = min(max(2*b.step, b.least), b.most*2/3)
	return b.step + rand.N(b.step/2)
}

func (b *backoff) reset() { b.step = 0 }
