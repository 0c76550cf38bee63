package virtualtime

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// sparse is how many times as fast as real time virtual time has to pass for one processor to be enough.
const sparse = 25

// Garbage is collected when there is maxGarbagePercent as much of it as of what lives, or, with a large heap, minGarbagePercent;
// in between, when there is maxGarbage. It is that much faster than with Go's default of 100 and no limit.
const (
	maxGarbage        = 3 << 29
	minGarbagePercent = 150
	maxGarbagePercent = 400
)

// liveHeap is the metric of what the last collection of garbage left.
const liveHeap = "/gc/heap/live:bytes"

// Governor sets how many processors the runtime uses in virtual time, and how much garbage it lets grow. While the clock jumps from timer to
// timer a second processor is woken in vain at every jump, which makes everything slower by
// half; when it hardly moves, because thousands of pods start at once, each processor helps.
// A process with a seed always has one. It is not safe for concurrent use.
type Governor struct {
	last time.Time
	up   time.Duration // the machine's clock at last
	all  int           // processors the runtime began with
	one  bool
	live []metrics.Sample
	gc   int // percent of garbage allowed; 0 where it is the user's to say
}

// NewGovernor starts with the processors the runtime has now.
func NewGovernor() *Governor {
	g := &Governor{last: time.Now(), up: Real(), all: runtime.GOMAXPROCS(0), live: []metrics.Sample{{Name: liveHeap}}}
	if os.Getenv("GOGC") == "" {
		g.gc = maxGarbagePercent
	}
	return g
}

// Tick is to be called every now and then. It does nothing on the wall clock.
func (g *Governor) Tick() {
	if !Enabled {
		return
	}
	g.collect()
	if g.all == 1 {
		return
	}
	now, up := time.Now(), Real()
	moved, passed := now.Sub(g.last), up-g.up
	if passed < 100*time.Millisecond {
		return // too little to tell
	}
	g.last, g.up = now, up
	if one := moved >= sparse*passed; one != g.one {
		g.one = one
		if one {
			runtime.GOMAXPROCS(1)
		} else {
			runtime.GOMAXPROCS(g.all)
		}
	}
}

// collect sets when garbage is collected next, by what lives.
func (g *Governor) collect() {
	if g.gc == 0 {
		return
	}
	metrics.Read(g.live)
	if percent := garbagePercent(g.live[0].Value.Uint64()); percent != g.gc {
		g.gc = percent
		debug.SetGCPercent(percent)
	}
}

// garbagePercent is a multiple of ten, so that it doesn't change all the time.
func garbagePercent(live uint64) int {
	percent := maxGarbagePercent
	if live > 0 {
		percent = int(min(maxGarbage*100/live, maxGarbagePercent))
	}
	return max(percent/10*10, minGarbagePercent)
}
