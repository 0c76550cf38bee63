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
	// ownPrefix begins the names of files that a run needs for itself in an output folder.
	ownPrefix = ".simkube-"
	// placePrefix begins the names of the folders in which results are written before they are
	// complete.
	placePrefix = ownPrefix + "new-"
	// oldFolder, in such a folder, holds the results that are being replaced.
	oldFolder = "old"
	// newFolder, in such a folder, holds the new results.
	newFolder = "new"
)

// ownEntry reports whether an entry of an output folder is a file of a run itself, and not a
// result.
func ownEntry(name string) bool { return strings.HasPrefix(name, ownPrefix) }

// makeFolders makes a folder and its missing parents, and returns the folders that it made, the
// outermost first. If it fails, it removes them.
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

// removeEmpty removes folders made by makeFolders, unless they are not empty or are no longer
// folders.
func removeEmpty(made []string) {
	for _, folder := range slices.Backward(made) {
		if info, err := os.Lstat(folder); err == nil && !info.IsDir() || os.Remove(folder) != nil {
			return
		}
	}
}

// place is a folder for results that are not complete yet. It is inside the output folder, so that
// it is on the same file system, and so that only the output folder must be writable.
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

// commit moves the new results into the output folder, and the old ones out of it. The file called
// last is moved last: it marks a folder as complete. If commit fails, the folder is as it was.
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

// moves are files and folders that were moved: from and to.
type moves [][2]string

// all moves the entries of one folder to another, except files of a run itself. The entry called
// last is moved last on the way in and first on the way out, because it marks a complete folder.
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
