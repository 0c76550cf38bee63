package controlplane

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/scratch"
)

// dataDir is the folder that a control plane writes to. A lock on a file in it distinguishes
// folders in use from those that a killed process has left.
type dataDir struct {
	path      string
	lock      *os.File
	temporary bool
}

// openDataDir opens the given folder, or creates a temporary one if path is empty.
func openDataDir(path string) (*dataDir, error) {
	temporary := path == ""
	if temporary {
		parent := scratch.DataParent()
		// A simulation that must repeat itself sweeps at its end, so that what others have left does not
		// influence it.
		if !virtualtime.Seeded() {
			scratch.Sweep(parent, scratch.DataPrefix)
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
			// Another process has swept the folder before it was locked.
			_ = os.RemoveAll(path)
			if path, err = makeTemporary(scratch.DataParent()); err == nil {
				lock, err = lockDir(path)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return &dataDir{path: path, lock: lock, temporary: temporary}, nil
}

// makeTemporary creates a folder that belongs to this process. Its name is not random: two
// simulations with the same seed that run side by side would choose the same.
func makeTemporary(parent string) (string, error) {
	for n := 0; ; n++ {
		path := filepath.Join(parent, dataDirOf(os.Getpid(), strconv.Itoa(n)))
		if err := os.Mkdir(path, 0o700); !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
}

func dataDirOf(pid int, n string) string { return fmt.Sprintf("%s%07d-%s", scratch.DataPrefix, pid, n) }

func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }

// kubeconfig returns the path of a component's kubeconfig.
func (d *dataDir) kubeconfig(component string) string { return d.file(component + ".kubeconfig") }

// close unlocks the folder, and removes it if it is temporary.
func (d *dataDir) close() error {
	var err error
	if d.temporary {
		err = scratch.Clear(d.path)
	}
	err = errors.Join(err, d.lock.Close())
	if d.temporary && virtualtime.Seeded() {
		scratch.Sweep(filepath.Dir(d.path), scratch.DataPrefix)
	}
	return err
}

// RemoveData removes the temporary data folders of this process, including those of control planes
// that run. It is for a process that is about to end and has no time to stop them.
func RemoveData() error {
	own, err := filepath.Glob(filepath.Join(scratch.DataParent(), dataDirOf(os.Getpid(), "*")))
	if err != nil {
		return err
	}
	var problems []error
	for _, dir := range own {
		// Nothing writes to the folder under its new name. A sweep still recognizes it by its lock.
		gone := dir + "-gone"
		if err := os.Rename(dir, gone); err != nil {
			problems = append(problems, err)
			continue
		}
		problems = append(problems, scratch.Clear(gone))
	}
	return errors.Join(problems...)
}

func lockDir(dir string) (*os.File, error) {
	lock, err := scratch.Lock(filepath.Join(dir, scratch.LockFile))
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	return lock, nil
}
