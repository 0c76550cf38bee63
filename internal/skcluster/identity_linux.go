package skcluster

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// processIdentity returns what tells the running process of this id from another that
// got the id later: when it was started, and in which run of the machine. Empty when
// there is no such process.
func processIdentity(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is the program's name in brackets, which may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const state, startTime = 0, 19 // fields 3 and 22 of proc_pid_stat(5)
	if len(fields) <= startTime || fields[state] == "Z" {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		boot = nil
	}
	return strings.TrimSpace(string(boot)) + "/" + fields[startTime]
}
