//go:build faketime

package virtualtime

import (
	"math"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"
	_ "unsafe" // for go:linkname
)

// Enabled tells whether this program was built for virtual time.
const Enabled = true

// now is the runtime's fake time, in nanoseconds since 1970.
//
//go:linkname now runtime.faketime
var now int64

// watchSignalLoop is what os/signal runs to wait for signals: in a system call, in which
// the clock would stand still.
//
//go:linkname watchSignalLoop os/signal.watchSignalLoop
var watchSignalLoop func()

// forceGCPeriod is after how many nanoseconds the runtime collects garbage although nothing asks
// for it: two minutes, which in virtual time are over in a blink.
//
//go:linkname forceGCPeriod runtime.forcegcperiod
var forceGCPeriod int64

// seeded and random are the overlay's: whether the runtime's random numbers come from one generator, and its state.
//
//go:linkname seeded runtime.simkubeSeeded
var seeded bool

//go:linkname random runtime.simkubeRand
var random uint64

// route is the overlay's: what tells where an HTTP request goes.
//
//go:linkname route net/http.simkubeRoute
var route func(*http.Request) http.RoundTripper

// gcPercent lets the heap grow to five times what lives before garbage is collected.
const gcPercent = 400

// Prepare makes the process fit for virtual time. It must be called before anything that listens for
// signals, which afterwards never come: whoever starts the process has to tell it to stop in
// another way.
func Prepare() {
	watchSignalLoop = nil
	forceGCPeriod = math.MaxInt64
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// Set moves the clock to t. Timers that are running fire if t is behind them.
func Set(t time.Time) { now = t.UnixNano() }

// Seed makes this process do the same things in the same order whenever it is given the same seed and input, as far
// as what it does depends on random numbers, on the order in which goroutines run, and on the
// threads of the runtime. It leaves the process one processor. 0 does nothing.
func Seed(seed uint64) {
	if seed == 0 {
		return
	}
	runtime.GOMAXPROCS(1)
	random, seeded = seed, true
}

// Seeded tells whether Seed was called with a seed.
func Seeded() bool { return seeded }

// RouteHTTP sends the requests of every http.Transport in this process for which to returns a transport there. It is to be
// called before there are any.
func RouteHTTP(to func(*http.Request) http.RoundTripper) { route = to }
