package virtualtime

import (
	"runtime"
	"time"
)

// sparse is how many times as fast as real time virtual time has to pass for one processor to be enough.
const sparse = 25

// Governor sets how many processors the runtime uses in virtual time. While the clock jumps from timer to
// timer a second processor is woken in vain at every jump, which makes everything slower by
// half; when it hardly moves, because thousands of pods start at once, each processor helps.
// A process with a seed always has one. It is not safe for concurrent use.
type Governor struct {
	last time.Time
	real time.Duration // the machine's clock at last
	all  int           // processors the runtime began with
	one  bool
}

// NewGovernor starts with the processors the runtime has now.
func NewGovernor() *Governor {
	return &Governor{last: time.Now(), real: Real(), all: runtime.GOMAXPROCS(0)}
}

// Tick is to be called every now and then. It does nothing on the wall clock.
func (g *Governor) Tick() {
	if !Enabled || g.all == 1 {
		return
	}
	now, real := time.Now(), Real()
	moved, passed := now.Sub(g.last), real-g.real
	if passed < 100*time.Millisecond {
		return // too little to tell
	}
	g.last, g.real = now, real
	if one := moved >= sparse*passed; one != g.one {
		g.one = one
		if one {
			runtime.GOMAXPROCS(1)
		} else {
			runtime.GOMAXPROCS(g.all)
		}
	}
}
