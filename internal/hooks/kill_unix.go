//go:build unix

package hooks

import (
	"os/exec"
	"syscall"
)

// killGroup has a command killed with all that is in its process group.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
