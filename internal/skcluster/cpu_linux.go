package skcluster

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is the unit of processor time in /proc on all of Linux's platforms.
const ticksPerSecond = 100

// cpuTime returns the processor time that a running process has used so far, and how long its
// threads have waited for a processor, which is 0 if the kernel does not count it. It returns false
// if the processor time is unknown.
func cpuTime(pid int) (cpu, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return cpu{}, false
	}
	// The second field is the program's name in brackets, which may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const user, system = 11, 12 // fields 14 and 15 of proc_pid_stat(5)
	if len(fields) <= system {
		return cpu{}, false
	}
	sum := int64(0)
	for _, field := range []string{fields[user], fields[system]} {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return cpu{}, false
		}
		sum += ticks
	}
	return cpu{used: time.Duration(sum) * time.Second / ticksPerSecond, waited: waitTime(pid)}, true
}

// waitTime returns how long the threads of a process that still run have been runnable without a
// processor.
func waitTime(pid int) time.Duration {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid)) // the pattern is valid
	sum := int64(0)
	for _, path := range threads {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		const waited = 1 // the second field, in nanoseconds
		if fields := strings.Fields(string(stat)); len(fields) > waited {
			n, _ := strconv.ParseInt(fields[waited], 10, 64)
			sum += n
		}
	}
	return time.Duration(sum)
}
