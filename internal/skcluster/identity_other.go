//go:build !linux

package skcluster

import (
	"os/exec"
	"strconv"
	"strings"
)

// processIdentity returns a text that differs between a running process and later processes with
// the same id: when it was started. It is empty if there is no such process.
func processIdentity(pid int) string {
	out, err := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
