//go:build unix

package scratch

import (
	"errors"
	"os"
	"syscall"
)

// canSweep reports whether locks show that a process is gone.
const canSweep = true

// tryLock locks a file unless another process holds its lock.
func tryLock(f *os.File) (bool, error) {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		}
		return err == nil, err
	}
}

// canWrite reports whether this process may create files in a folder.
func canWrite(dir string) bool {
	const write = 2 // W_OK of access(2)
	return syscall.Access(dir, write) == nil
}
