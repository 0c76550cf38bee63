//go:build unix

package skcluster

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// ownGroup starts the command in a process group of its own, so that a Ctrl-C in the
// terminal reaches its parent alone, which then asks it to end.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// ownSession starts the command apart from the terminal, so that it outlives it.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// killGroup ends the process and all it started. One that has ended is no error.
func killGroup(p *os.Process) error {
	err := syscall.Kill(-p.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// dump has a Go program write down what its goroutines do, and end.
func dump(p *os.Process) error { return p.Signal(syscall.SIGQUIT) }

// terminate asks a process to end.
func terminate(pid int) error {
	err := syscall.Kill(pid, syscall.SIGTERM)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// tryLock takes the file's lock unless another process holds it; closing the file gives
// it up.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	return err == nil, err
}

// usageOf tells what a process that has ended took.
func usageOf(state *os.ProcessState) Usage {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return Usage{}
	}
	peak := int64(usage.Maxrss)   //nolint:unconvert // it is 32 bits wide on some systems
	if runtime.GOOS != "darwin" { // which alone counts bytes; the others KiB
		peak <<= 10
	}
	return Usage{PeakMemory: peak}
}
