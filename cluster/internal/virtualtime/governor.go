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
	many bool
}

// Tick is to be called about five times per real second. It does nothing on the wall clock.
func (g *Governor) Tick() {
	if !Enabled {
		return
	}
	now := time.Now()
	moved := now.Sub(g.last)
	g.last = now
	if many := moved < dense; many != g.many {
		g.many = many
		if many {
			runtime.GOMAXPROCS(runtime.NumCPU())
		} else {
			runtime.GOMAXPROCS(1)
		}
	}
}
