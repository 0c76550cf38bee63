// Package scratch makes the folders that a process needs while it runs, and removes those of
// processes that are gone.
//
// In each folder there is a file that its maker holds a lock on. The lock ends with the process,
// however that ends, so a folder whose lock is free is one that nobody will come back to: [Sweep]
// removes it, and no other.
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

// LockFile is the file in a folder that its maker holds a lock on. Nobody else's folder has one.
const LockFile = ".simkube-lock"

// unlockedAge is how old an empty folder must be for Sweep to remove it: a younger one may be about
// to be locked.
const unlockedAge = time.Minute

// ErrLocked is wrapped when another process holds a lock.
var ErrLocked = errors.New("another process uses it")

// Folder is a folder of this process.
type Folder struct {
	path string
	lock *os.File
}

// New makes a folder below parent, or below the system's folder for temporary files where that is
// empty. Its name begins with prefix. The folder is the process's until Close.
func New(parent, prefix string) (*Folder, error) {
	// A sweep of another process may come between the making of a folder and the locking, but
	// hardly twice.
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

// Path returns where the folder is.
func (f *Folder) Path() string { return f.path }

// Join returns the path of a file in the folder.
func (f *Folder) Join(name string) string { return filepath.Join(f.path, name) }

// Close removes the folder and what is in it.
func (f *Folder) Close() error { return errors.Join(Clear(f.path), f.lock.Close()) }

// Clear removes a folder whose lock this process holds. The lock file goes last, so that whatever
// is left when the process is killed meanwhile can be known and swept.
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

// Gone reports whether an error says that a file is not there, or not even the folder it was in:
// somebody has removed it or put something else in its place.
func Gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// Lock makes a file, if it is missing, and takes its lock, which ends when the file is closed.
// Errors wrap ErrLocked when another process has the lock, or has just removed the file.
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
	// Who had the lock before may have removed the file while this one opened it.
	if !locked || !is(file, path) {
		return fmt.Errorf("lock %s: %w", path, ErrLocked)
	}
	return nil
}

// is reports whether a file is still the one at a path.
func is(file *os.File, path string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(opened, named)
}

// Sweep removes the folders below parent, or below the system's folder for temporary files where
// that is empty, whose names begin with prefix and whose process is gone. It does what it can: what
// it may not remove belongs to somebody else.
func Sweep(parent, prefix string) {
	if parent == "" {
		parent = os.TempDir()
	}
	entries, _ := os.ReadDir(parent) // what could be read
	for _, entry := range entries {
		if entry.IsDir() && strings.HasPrefix(entry.Name(), prefix) {
			Remove(filepath.Join(parent, entry.Name()))
		}
	}
}

// Remove removes one folder if its process is gone, and reports whether it is no longer there.
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
	return os.Remove(path) == nil // it stays unless it is empty
}

// Take makes a folder this process's whose own is gone. Errors wrap ErrLocked when that lives, and
// fs.ErrNotExist for a folder that New has not made.
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
