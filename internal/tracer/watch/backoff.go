package watch

import (
	"math/rand/v2"
	"time"
)

const (
	// Waits after errors of the network or the API server that usually pass soon.
	minQuick = 800 * time.Millisecond
	maxQuick = 30 * time.Second
	// Waits after errors that a person must fix, such as a missing kind or permission.
	minSlow = 5 * time.Second
	maxSlow = time.Minute
	// healthy is the duration of an attempt after which the waits begin from their minimum again.
	healthy = 10 * time.Second
	// listed is the corresponding duration for the waits before lists, which cost the API server more.
	listed = time.Minute
	// maxRetryAfter limits the wait that an API server may ask for.
	maxRetryAfter = 5 * time.Minute
)

// backoff returns waits that double from min to max, with jitter so that watchers do not retry at
// the same time.
type backoff struct {
	min, max time.Duration
	step     time.Duration
}

// next returns the next wait, which is between one and one and a half times its step.
func (b *backoff) next() time.Duration {
	b.step = min(max(2*b.step, b.min), b.max*2/3)
	return b.step + rand.N(b.step/2)
}

func (b *backoff) reset() { b.step = 0 }
