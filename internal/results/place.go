package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"simkube.io/simkube/internal/scratch"
)

const (
	// ownPrefix begins the names of what a run needs for itself in an output folder.
	ownPrefix = ".simkube-"
	// placePrefix begins those of the folders in it where results are written before they get their
	// names.
	placePrefix = ownPrefix + "new-"
	// oldFolder, in such a folder, is where the results lie for a moment that are replaced.
	oldFolder = "old"
	// newFolder, in such a folder, is where the new ones are written.
	newFolder = "new"
)

// ownEntry reports whether an entry of an output folder is there for a run, and not a result.
func ownEntry(name string) bool { return strings.HasPrefix(name, ownPrefix) }

// makeFolders makes a folder and what is missing of its parents, and returns what it made, the
// outermost first. When it fails nothing is left of them.
func makeFolders(dir string) (made []string, err error) {
	dir = filepath.Clean(dir)
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		missing = append(missing, at)
	}
	for _, folder := range slices.Backward(missing) {
		if err := os.Mkdir(folder, 0o755); err == nil {
			made = append(made, folder)
		} else if !errors.Is(err, os.ErrExist) {
			removeEmpty(made)
			return nil, fmt.Errorf("make the output folder: %w", err)
		}
	}
	return made, nil
}

// removeEmpty removes folders that makeFolders has made, unless there is something in them, or
// something else in their place.
func removeEmpty(made []string) {
	for _, folder := range slices.Backward(made) {
		if info, err := os.Lstat(folder); err == nil && !info.IsDir() || os.Remove(folder) != nil {
			return
		}
	}
}

// place is where results are written in an output folder until they are complete. It is in that
// folder, and not beside it, so that it is on the same disk, and so that nothing but the folder
// need be writable.
type place struct {
	*scratch.Folder
	dir string
}

func newPlace(dir string) (*place, error) {
	folder, err := scratch.New(dir, placePrefix)
	if err != nil {
		return nil, fmt.Errorf("make room in the output folder: %w", err)
	}
	p := &place{Folder: folder, dir: dir}
	if err := os.Mkdir(p.Path(), 0o755); err != nil {
		return nil, errors.Join(fmt.Errorf("make room in the output folder: %w", err), folder.Close())
	}
	return p, nil
}

// Path returns the folder to write the results to.
func (p *place) Path() string { return p.Join(newFolder) }

// commit moves what was written into the output folder, and what was there before out of it. The
// file called last is moved last: it marks a folder that is complete. When something fails the
// folder is as it was.
func (p *place) commit(last string) (err error) {
	old := p.Join(oldFolder)
	if err := os.Mkdir(old, 0o700); err != nil {
		return fmt.Errorf("make room for the old results: %w", err)
	}
	var moved moves
	defer func() {
		if err != nil {
			err = errors.Join(err, moved.undo())
		}
	}()
	if err := moved.all(p.dir, old, last); err != nil {
		return fmt.Errorf("move the old results aside: %w", err)
	}
	if err := moved.all(p.Path(), p.dir, last); err != nil {
		return fmt.Errorf("move the results into place: %w", err)
	}
	return syncDir(p.dir)
}

// moves are files and folders that were moved, from and to.
type moves [][2]string

// all moves the entries of one folder to another, but not those that are there for a run. The one
// called last goes last on the way in, and, as the mark of a complete folder, first on the way out.
func (m *moves) all(from, to, last string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	inward := filepath.Base(from) == newFolder
	slices.SortStableFunc(entries, func(a, b os.DirEntry) int {
		switch {
		case a.Name() == b.Name(), a.Name() != last && b.Name() != last:
			return 0
		case (a.Name() == last) == inward:
			return 1
		}
		return -1
	})
	for _, entry := range entries {
		if ownEntry(entry.Name()) {
			continue
		}
		move := [2]string{filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())}
		if err := os.Rename(move[0], move[1]); err != nil {
			return err
		}
		*m = append(*m, move)
	}
	return nil
}

// undo moves everything back.
func (m *moves) undo() error {
	var problems []error
	for _, move := range slices.Backward(*m) {
		problems = append(problems, os.Rename(move[1], move[0]))
	}
	return errors.Join(problems...)
}
