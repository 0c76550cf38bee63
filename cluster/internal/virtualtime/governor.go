package virtualtime

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// sparse is how many times as fast as real time virtual time must pass for one processor to be
// enough.
const sparse = 25

// Garbage is collected when there is maxGarbagePercent as much of it as of the live heap, or, with
// a large heap, minGarbagePercent; in between, when there is maxGarbage. Compared with Go's default
// of 100 percent, that saves time.
const (
	maxGarbage        = 3 << 29
	minGarbagePercent = 150
	maxGarbagePercent = 400
)

// liveHeap is the metric of the heap that the last collection has left.
const liveHeap = "/gc/heap/live:bytes"

// Governor sets how many processors the runtime uses in virtual time, and how often it collects
// garbage. While the clock jumps from timer to timer, a second processor is woken at every jump
// without any work to do, which makes everything slower by half; while the clock hardly moves,
// because thousands of pods start at once, every processor helps. A process with a seed always has
// one. It is not safe for concurrent use.
type Governor struct {
	last time.Time
	up   time.Duration // the machine's clock at the time of last
	all  int           // processors the runtime began with
	one  bool
	live []metrics.Sample
	gc   int // percent of garbage allowed; 0 if the user has set it
}

// NewGovernor returns a Governor that starts with the current number of processors.
func NewGovernor() *Governor {
	g := &Governor{last: time.Now(), up: Real(), all: runtime.GOMAXPROCS(0), live: []metrics.Sample{{Name: liveHeap}}}
	if os.Getenv("GOGC") == "" {
		g.gc = maxGarbagePercent
	}
	return g
}

// Tick adjusts the settings. It should be called a few times per second or more. It does nothing on
// the wall clock.
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
		return // too short to measure
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

// collect sets how often garbage is collected, by the size of the live heap.
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

// garbagePercent returns a multiple of ten, so that it doesn't change all the time.
func garbagePercent(live uint64) int {
	percent := maxGarbagePercent
	if live > 0 {
		percent = int(min(maxGarbage*100/live, maxGarbagePercent))
	}
	return max(percent/10*10, minGarbagePercent)
}
