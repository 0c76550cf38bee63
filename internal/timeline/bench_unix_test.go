//go:build unix

package timeline

import (
	"syscall"
	"time"
)

// cpuTime returns the CPU time of this process. Unlike wall-clock time, it does not grow while
// other processes use the processor.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
