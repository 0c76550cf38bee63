//go:build faketime

package virtualtime

import (
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

// Prepare makes the process fit for virtual time. It must be called before anything that
// listens for signals, which afterwards never come: whoever starts the process has to
// tell it to stop in another way. The heap may grow to memoryLimit bytes before garbage is
// collected, because the runtime would otherwise collect every two virtual minutes.
func Prepare(memoryLimit int64) {
	watchSignalLoop = nil
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryLimit)
}

// Set moves the clock to t. Timers that are running fire if t is behind them.
func Set(t time.Time) { now = t.UnixNano() }
