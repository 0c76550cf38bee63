// Package virtualtime controls the clock of this process: the wall clock, or, in a program built
// with the tag faketime, one that stands still while any goroutine runs and jumps to the next timer
// when none does.
//
// That clock is the Go runtime's own, made for the Go playground, and everything in the process
// uses it through package time. It needs a program without cgo whose goroutines never block in
// system calls for long: during such a call, time stands still.
package virtualtime

import (
	"time"

	"golang.org/x/sys/unix"
)

// SeedVariable is the environment variable for the seed of a process in virtual time, a number
// above 0. Two such processes with the same seed and the same input do the same things in the same
// order, as far as this depends on random numbers, on the order in which goroutines run, and on the
// threads of the runtime. They have one processor.
//
// The random numbers of package crypto are among those that are fixed, so that the process has no
// secrets: it must not communicate.
//
// The seed is in the environment because the runtime takes its first random numbers before any of
// our code runs.
const SeedVariable = "SIMKUBE_SEED"

// Real returns how long the machine has been up, on its own clock, whatever clock the process has.
func Real() time.Duration {
	var ts unix.Timespec
	// This clock exists on every Linux: the call can't fail.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return time.Duration(ts.Nano())
}
