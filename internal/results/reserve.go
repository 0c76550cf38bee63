package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"simkube.io/simkube/internal/scratch"
)

const (
	// markFile exists in an output folder while a run that will write to it is under way, which holds
	// a lock on the file.
	markFile = ownPrefix + "run"
	// probeFile is written and removed again, to find out whether the folder is writable.
	probeFile = ownPrefix + "probe"
	// probeSize is more than fits on a disk that is almost full.
	probeSize = 1 << 20
)

// ErrReserved is wrapped if another run that is under way will write to a folder.
var ErrReserved = errors.New("another simulation that is under way is going to write its results there")

// mark is the content of a markFile.
type mark struct {
	// Made are the absolute paths of the folders that were made for the run, the outermost first.
	Made []string `json:"made"`
}

// Reservation is an output folder that a run will write to.
type Reservation struct {
	dir  string
	made []string
	lock *os.File
}

// Reserve makes an output folder and writes to it, to find out whether results can be written. It
// returns the error of CheckOutput, an error that wraps ErrReserved, or why the folder cannot be
// made or written to; the folder is not left behind then. It also removes what killed runs have
// left in the folder, and in those beside it.
func Reserve(dir string, overwrite bool) (_ *Reservation, err error) {
	if err := CheckOutput(dir, overwrite); err != nil {
		return nil, err
	}
	sweepBeside(dir)
	made, err := makeFolders(dir)
	if err != nil {
		return nil, err
	}
	r := &Reservation{dir: dir}
	for _, folder := range made {
		if abs, err := filepath.Abs(folder); err == nil {
			folder = abs
		}
		r.made = append(r.made, folder)
	}
	defer func() {
		if err != nil {
			removeEmpty(made)
		}
	}()
	if r.lock, err = lockMark(dir); err != nil {
		if errors.Is(err, scratch.ErrLocked) {
			return nil, ErrReserved
		}
		return nil, unwritable(err)
	}
	err = json.NewEncoder(r.lock).Encode(mark{Made: r.made})
	if err == nil {
		err = probe(dir)
	}
	if err != nil {
		return nil, errors.Join(unwritable(err), os.Remove(r.lock.Name()), r.lock.Close())
	}
	return r, nil
}

const (
	// sweepTime is how long another run may hold the lock of a mark that it sweeps, and lockPause the
	// time between two attempts to get it.
	sweepTime = time.Second
	lockPause = 10 * time.Millisecond
)

// lockMark locks the mark of a folder. Another run that has just looked for leftovers beside its
// own folder may hold the lock for a moment.
func lockMark(dir string) (*os.File, error) {
	for began := time.Now(); ; time.Sleep(lockPause) {
		lock, err := scratch.Lock(filepath.Join(dir, markFile))
		if !errors.Is(err, scratch.ErrLocked) || time.Since(began) > sweepTime {
			return lock, err
		}
	}
}

// unwritable returns an error for a folder that cannot be written to, without the names of internal
// files.
func unwritable(err error) error {
	return fmt.Errorf("the folder cannot be written to: %w", pathless(err))
}

// pathless returns err without the name of the file.
func pathless(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Release ends the reservation. It removes folders that were made for the run if nothing was
// written to them, and what a process that was killed while it wrote has left.
func (r *Reservation) Release() error {
	sweepPlaces(r.dir)
	err := os.Remove(r.lock.Name())
	if scratch.Gone(err) {
		err = nil // somebody removed the folder, for reasons of theirs
	}
	err = errors.Join(err, r.lock.Close())
	removeEmpty(r.made)
	if err != nil {
		return fmt.Errorf("give up the output folder: %w", err)
	}
	return nil
}

// probe writes a file and removes it.
func probe(dir string) error {
	path := filepath.Join(dir, probeFile)
	_ = os.Remove(path) // one that a killed run left
	err := writeFile(path, func(w io.Writer) error {
		_, err := w.Write(make([]byte, probeSize))
		return err
	})
	if removeErr := os.Remove(path); !errors.Is(removeErr, fs.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	return err
}

// sweepBeside removes what killed runs have left in a folder and in those beside it.
func sweepBeside(dir string) {
	Sweep(dir)
	parent := filepath.Dir(filepath.Clean(dir))
	entries, _ := os.ReadDir(parent) // what could be read
	for _, entry := range entries {
		if entry.IsDir() {
			Sweep(filepath.Join(parent, entry.Name()))
		}
	}
}

// Sweep removes what a killed run has left in its output folder, and the folder if it was made for
// the run and is empty. It reports whether nothing is left; otherwise the run is under way.
func Sweep(dir string) (clean bool) {
	path := filepath.Join(dir, markFile)
	if _, err := os.Lstat(path); err != nil {
		return true
	}
	lock, err := scratch.Lock(path)
	if err != nil {
		return false
	}
	defer lock.Close()
	var m mark
	_ = json.NewDecoder(lock).Decode(&m) // if it was killed before it wrote, it had made nothing else
	if !sweepPlaces(dir) {
		return false // by the mark the next finds the rest
	}
	_ = os.Remove(path)
	removeEmpty(m.Made)
	return true
}

// sweepPlaces removes what processes that were killed while they wrote have left in an output
// folder, and reports whether nothing is left.
func sweepPlaces(dir string) (clean bool) {
	clean = true
	entries, _ := os.ReadDir(dir) // what could be read
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		switch {
		case strings.HasPrefix(entry.Name(), placePrefix):
			takeBack(dir, path)
		case entry.Name() == probeFile:
			_ = os.Remove(path)
		default:
			continue
		}
		if _, err := os.Lstat(path); err == nil {
			clean = false
		}
	}
	return clean
}

// takeBack removes the files of a run that was killed while it wrote to a folder, and restores the
// results that it had moved, unless its own are complete.
func takeBack(dir, path string) {
	folder, err := scratch.Take(path)
	if err != nil {
		scratch.Remove(path) // if there is nothing in it
		return
	}
	if !holdsResults(dir) {
		old := folder.Join(oldFolder)
		entries, _ := os.ReadDir(old) // what could be read
		for _, entry := range entries {
			there := filepath.Join(dir, entry.Name())
			_ = os.RemoveAll(there)
			if os.Rename(filepath.Join(old, entry.Name()), there) != nil {
				return // better too much is left than too little
			}
		}
	}
	_ = folder.Close() // what cannot be removed stays for the next
}
