// Package scratch creates temporary folders for a process, and removes those of processes that are
// gone.
//
// Each folder holds a file that its process has locked. The lock ends with the process, however it
// ends, so a folder whose lock is free is not in use: [Sweep] removes only those.
package scratch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// LockFile is the name of the locked file in a folder. Other folders do not have one.
const LockFile = ".simkube-lock"

// unlockedAge is the minimum age of an empty folder that Sweep removes: a newer one may be about to
// be locked.
const unlockedAge = time.Minute

// ErrLocked is returned, possibly wrapped, if another process holds a lock.
var ErrLocked = errors.New("in use by another process")

// Folder is a temporary folder of this process.
type Folder struct {
	path string
	lock *os.File
}

// New creates a folder below parent, or below the system's folder for temporary files if parent is
// empty. Its name begins with prefix. It belongs to the process until Close.
func New(parent, prefix string) (*Folder, error) {
	// Another process may sweep between the creation of a folder and its locking, but hardly twice.
	const tries = 3
	var problems []error
	for range tries {
		path, err := os.MkdirTemp(parent, prefix+"*")
		if err != nil {
			return nil, err
		}
		lock, err := Lock(filepath.Join(path, LockFile))
		if err == nil {
			return &Folder{path: path, lock: lock}, nil
		}
		problems = append(problems, err, os.RemoveAll(path))
	}
	return nil, errors.Join(problems...)
}

// Path returns the folder's path.
func (f *Folder) Path() string { return f.path }

// Join returns the path of a file in the folder.
func (f *Folder) Join(name string) string { return filepath.Join(f.path, name) }

// Close removes the folder with its contents.
func (f *Folder) Close() error { return errors.Join(Clear(f.path), f.lock.Close()) }

// Clear removes a folder whose lock this process holds. It removes the lock file last, so that a
// later sweep recognizes the rest if the process is killed meanwhile.
func Clear(path string) error {
	entries, err := os.ReadDir(path)
	if Gone(err) {
		return nil
	}
	problems := []error{err}
	for _, entry := range entries {
		if entry.Name() != LockFile {
			problems = append(problems, os.RemoveAll(filepath.Join(path, entry.Name())))
		}
	}
	return errors.Join(append(problems, os.RemoveAll(path))...)
}

// Gone reports whether an error means that a file or its folder does not exist: somebody has
// removed or replaced it.
func Gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// Lock locks a file, which it creates if necessary. The lock ends when the file is closed. The
// error wraps ErrLocked if another process has locked or has just removed the file.
func Lock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(file, path); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func lockFile(file *os.File, path string) error {
	locked, err := tryLock(file)
	if err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	// The process that held the lock may have removed the file after it was opened here.
	if !locked || !isAt(file, path) {
		return fmt.Errorf("lock %s: %w", path, ErrLocked)
	}
	return nil
}

// isAt reports whether a file is still the one at a path.
func isAt(file *os.File, path string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(opened, named)
}

// Sweep removes the folders below parent, or below the system's folder for temporary files if
// parent is empty, whose names begin with prefix and whose process is gone. It ignores errors: what
// it may not remove belongs to others.
func Sweep(parent, prefix string) {
	if parent == "" {
		parent = os.TempDir()
	}
	entries, _ := os.ReadDir(parent) // as far as it could be read
	for _, entry := range entries {
		if entry.IsDir() && strings.HasPrefix(entry.Name(), prefix) {
			Remove(filepath.Join(parent, entry.Name()))
		}
	}
}

// Remove removes a folder if its process is gone, and reports whether it no longer exists.
func Remove(path string) (gone bool) {
	folder, err := Take(path)
	switch {
	case err == nil:
		return folder.Close() == nil
	case !errors.Is(err, fs.ErrNotExist):
		return false
	}
	info, err := os.Stat(path)
	if err != nil || time.Since(info.ModTime()) < unlockedAge {
		return errors.Is(err, fs.ErrNotExist)
	}
	return os.Remove(path) == nil // fails unless it is empty
}

// Take takes over a folder whose process is gone. The error wraps ErrLocked if the process is
// running, and fs.ErrNotExist if New did not create the folder.
func Take(path string) (*Folder, error) {
	lockPath := filepath.Join(path, LockFile)
	file, err := os.OpenFile(lockPath, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	err = ErrLocked
	if canSweep {
		err = lockFile(file, lockPath)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Folder{path: path, lock: file}, nil
}
