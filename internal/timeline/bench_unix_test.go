//go:build unix

package timeline

import (
	"syscall"
	"time"
)

// cpuTime gives the processor time this process has had. Unlike the time on the clock it does not grow while other
// processes have the processor.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
