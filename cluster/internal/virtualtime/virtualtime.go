// Package virtualtime is about the clock of this process: the wall clock, or, in a
// program built with the tag faketime, one that stands still while anything runs and jumps to
// the next timer when nothing does.
//
// That clock is the Go runtime's own, made for the Go playground; everything in the process sees
// it, through package time. It needs a program without cgo whose goroutines never
// block in system calls for long: while one does, time stands still.
package virtualtime

import (
	"time"

	"golang.org/x/sys/unix"
)

// Real tells how long the machine has been up, on its own clock, whatever clock the process has.
func Real() time.Duration {
	var ts unix.Timespec
	// The clock exists on every Linux: the call can't fail.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return time.Duration(ts.Nano())
}
