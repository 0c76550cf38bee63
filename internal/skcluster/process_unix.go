//go:build unix

package skcluster

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// ownSession detaches the command from the terminal, so that it outlives it.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// dump makes a Go program print the stacks of its goroutines and exit.
func dump(p *os.Process) error { return p.Signal(syscall.SIGQUIT) }

// terminate asks a process to end.
func terminate(pid int) error {
	err := syscall.Kill(pid, syscall.SIGTERM)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// tryLock locks the file unless another process holds its lock. Closing the file releases it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	return err == nil, err
}

// usageOf returns what a process that has ended used.
func usageOf(state *os.ProcessState) Usage {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return Usage{}
	}
	peak := int64(usage.Maxrss)   //nolint:unconvert // it is 32 bits wide on some systems
	if runtime.GOOS != "darwin" { // Darwin counts bytes, other systems KiB
		peak <<= 10
	}
	return Usage{PeakMemory: peak}
}
