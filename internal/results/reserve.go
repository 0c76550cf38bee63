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

	"simkube.io/simkube/internal/scratch"
)

const (
	// markFile, in an output folder, is there while a run is under way that will write to it. Who
	// reserved the folder holds a lock on it.
	markFile = ownPrefix + "run"
	// probeFile is written and removed again, to find out whether that works.
	probeFile = ownPrefix + "probe"
	// probeSize is more than a disk holds that is as good as full.
	probeSize = 1 << 20
)

// ErrReserved is wrapped when another run, which is under way, is going to write to a folder.
var ErrReserved = errors.New("another simulation that is under way is going to write its results there")

// mark is what a markFile holds.
type mark struct {
	// Made are the folders that were made for the run, the outermost first, with whole paths.
	Made []string `json:"made"`
}

// Reservation is an output folder that a run is going to write to.
type Reservation struct {
	dir  string
	made []string
	lock *os.File
}

// Reserve makes an output folder and finds out whether results can be written to it, by writing to
// it. It returns the error of CheckOutput, one that wraps ErrReserved, or why the folder cannot be
// made or written to; nothing is left then. What killed runs have left in the folder, and in those
// beside it, is removed.
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
	if r.lock, err = scratch.Lock(filepath.Join(dir, markFile)); err != nil {
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

// unwritable says why a folder cannot be written to, without the names of files that nobody knows.
func unwritable(err error) error {
	return fmt.Errorf("the folder cannot be written to: %w", pathless(err))
}

// pathless leaves the name of a file out of an error.
func pathless(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Release ends the reservation, and removes what was made for the run if nothing was written there,
// with what a process has left that was killed while it wrote.
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
// the run and is empty. It reports whether nothing is left of a run there; otherwise the run is
// under way.
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

// sweepPlaces removes what processes have left in an output folder that were killed while they
// wrote, and reports whether nothing is left.
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

// takeBack removes what a run was killed over that was writing to a folder, and puts back the
// results it had moved aside, unless its own are complete.
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
