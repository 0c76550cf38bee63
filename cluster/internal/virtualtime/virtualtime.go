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

// SeedVariable is the environment variable that gives a process in virtual time a seed, a number above 0. Such a process does
// the same things in the same order whenever it is given the same seed and input, as far as what it does depends on random
// numbers, on the order in which goroutines run, and on the threads of the runtime. It has one processor.
//
// The numbers of package crypto are among those that are fixed, so it has no secrets: it must not talk to anybody.
//
// The seed is in the environment since the runtime draws its first numbers before any of our code runs.
const SeedVariable = "SIMKUBE_SEED"

// Real tells how long the machine has been up, on its own clock, whatever clock the process has.
func Real() time.Duration {
	var ts unix.Timespec
	// The clock exists on every Linux: the call can't fail.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return time.Duration(ts.Nano())
}
