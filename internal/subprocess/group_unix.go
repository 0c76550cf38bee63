//go:build unix

package subprocess

import (
	"errors"
	"os/exec"
	"syscall"
)

// OwnGroup makes the command start in a process group of its own. A Ctrl-C in the terminal then
// does not reach it.
func OwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// KillGroup kills all processes of the group that pid leads. It returns nil if there are none.
func KillGroup(pid int) error { return signalGroup(pid, syscall.SIGKILL) }

// terminateGroup asks all processes of the group that pid leads to end.
func terminateGroup(pid int) error { return signalGroup(pid, syscall.SIGTERM) }

func signalGroup(pid int, sig syscall.Signal) error {
	err := syscall.Kill(-pid, sig)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// groupRuns reports whether the group that pid leads has processes.
func groupRuns(pid int) bool { return !errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) }
