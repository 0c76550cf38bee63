//go:build !unix

package subprocess

import (
	"os"
	"os/exec"
)

// OwnGroup does nothing: this system has no process groups.
func OwnGroup(*exec.Cmd) {}

// KillGroup kills the process alone.
func KillGroup(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil // it has ended
	}
	return p.Kill()
}

// terminateGroup kills the process alone: this system has no signals.
func terminateGroup(pid int) error { return KillGroup(pid) }

// groupRuns returns false: what a program has left running is not known.
func groupRuns(int) bool { return false }
