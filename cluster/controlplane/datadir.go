package controlplane

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

const (
	dataDirPrefix = "simkube-"
	lockName      = "lock"
	// memoryDir is Linux's world-writable file system in memory.
	memoryDir = "/dev/shm"
)

// dataDir is the folder a control plane writes to. A lock held on a file in it tells
// folders in use from those a killed process left behind.
type dataDir struct {
	path      string
	lock      *os.File
	temporary bool
}

// openDataDir takes the given folder, or makes a temporary one when path is empty.
func openDataDir(path string) (*dataDir, error) {
	temporary := path == ""
	if temporary {
		parent := temporaryParent()
		// What others have left must not matter to a simulation that is to repeat itself: it looks at its end.
		if !virtualtime.Seeded() {
			sweep(parent)
		}
		var err error
		if path, err = makeTemporary(parent); err != nil {
			return nil, fmt.Errorf("create data folder: %w", err)
		}
	} else {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("resolve data folder %s: %w", path, err)
		}
		path = abs
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("create data folder: %w", err)
		}
	}
	lock, err := lockDir(path)
	if err != nil {
		if temporary {
			// Another process's sweep came between the making of the lock and its taking.
			_ = os.RemoveAll(path)
			if path, err = makeTemporary(temporaryParent()); err == nil {
				lock, err = lockDir(path)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return &dataDir{path: path, lock: lock, temporary: temporary}, nil
}

// makeTemporary makes a folder of this process's own. Its name is not drawn, since a simulation with a seed would draw the same as another
// that runs beside it with that seed, and draw again.
func makeTemporary(parent string) (string, error) {
	for n := 0; ; n++ {
		path := filepath.Join(parent, fmt.Sprintf("%s%07d-%d", dataDirPrefix, os.Getpid(), n))
		if err := os.Mkdir(path, 0o700); !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
}

func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }

// close gives the folder up, and removes it if it was made for this run.
func (d *dataDir) close() error {
	var err error
	if d.temporary {
		err = os.RemoveAll(d.path)
	}
	err = errors.Join(err, d.lock.Close())
	if d.temporary && virtualtime.Seeded() {
		sweep(filepath.Dir(d.path))
	}
	return err
}

func temporaryParent() string {
	if unix.Access(memoryDir, unix.W_OK) == nil {
		return memoryDir
	}
	return os.TempDir()
}

// sweep removes temporary data folders whose process is gone. It is best effort: what it
// can't remove belongs to somebody else or is removed next time.
func sweep(parent string) {
	left, _ := filepath.Glob(filepath.Join(parent, dataDirPrefix+"*"))
	for _, dir := range left {
		// A folder without a lock file may be one that is being made right now.
		if _, err := os.Stat(filepath.Join(dir, lockName)); err != nil {
			continue
		}
		lock, err := lockDir(dir)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}
}

func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock data folder %s: another process uses it: %w", dir, err)
	}
	return f, nil
}
