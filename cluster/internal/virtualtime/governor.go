package virtualtime

import (
	"runtime"
	"time"
)

// dense is how little virtual time may pass between two calls of Governor.Tick for that to
// count as a burst.
const dense = 5 * time.Second

// Governor sets how many processors the runtime uses in virtual time. While the clock jumps from timer to
// timer a second processor is woken in vain at every jump, which makes everything slower by
// half; when it hardly moves, because thousands of pods start at once, each processor helps.
// It is not safe for concurrent use.
type Governor struct {
	last time.Time
	all  int // processors the runtime began with
	one  bool
}

// NewGovernor starts with the processors the runtime has now.
func NewGovernor() *Governor { return &Governor{last: time.Now(), all: runtime.GOMAXPROCS(0)} }

// Tick is to be called about five times per real second. It does nothing on the wall clock.
func (g *Governor) Tick() {
	if !Enabled {
		return
	}
	now := time.Now()
	moved := now.Sub(g.last)
	g.last = now
	if one := moved >= dense; one != g.one {
		g.one = one
		if one {
			runtime.GOMAXPROCS(1)
		} else {
			runtime.GOMAXPROCS(g.all)
		}
	}
}
