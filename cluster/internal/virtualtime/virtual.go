//go:build faketime

package virtualtime

import (
	"math"
	"os"
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
