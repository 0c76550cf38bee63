//go:build !linux

package skcluster

import (
	"os/exec"
	"strconv"
	"strings"
)

// processIdentity returns what tells the running process of this id from another that
// got the id later: when it was started. Empty when there is no such process.
func processIdentity(pid int) string {
	out, err := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
