package results

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The files of a folder of several runs, beside a result folder for each run.
const (
	RepetitionsFile = "repetitions.json"
	IndexFile       = "index.html"
)

// RepetitionsFolder is the output folder of several runs. Their results are in a hidden folder in
// it until [RepetitionsFolder.Finish] moves them, so that a folder with a RepetitionsFile is
// complete.
type RepetitionsFolder struct {
	dir       string
	place     *place
	made      []string
	runs      int
	overwrite bool
	// elsewhere has the folders of runs that could not write to theirs, by number.
	elsewhere map[int]string
}

// NewRepetitionsFolder makes a folder for the results of several runs. With overwrite, Finish
// replaces results that exist in dir; it returns an *[ExistsError] for anything else that exists.
// The caller must call Finish or Discard.
func NewRepetitionsFolder(dir string, runs int, overwrite bool) (*RepetitionsFolder, error) {
	if err := CheckOutput(dir, overwrite); err != nil {
		return nil, err
	}
	made, err := makeFolders(dir)
	if err != nil {
		return nil, err
	}
	place, err := newPlace(dir)
	if err != nil {
		removeEmpty(made)
		return nil, err
	}
	return &RepetitionsFolder{dir: dir, place: place, made: made, runs: runs, overwrite: overwrite, elsewhere: map[int]string{}}, nil
}

// Name returns the name of a run's folder, see [RunFolder].
func (f *RepetitionsFolder) Name(number int) string { return RunFolder(number, f.runs) }

// Run returns the path to which a run must write its result folder.
func (f *RepetitionsFolder) Run(number int) string {
	return filepath.Join(f.place.Path(), f.Name(number))
}

// Misplaced records that a run could not write to the folder that Run returns, and has written to
// another one. Finish fails then, and Rescue collects the results. It must not be called
// concurrently.
func (f *RepetitionsFolder) Misplaced(number int, folder string) { f.elsewhere[number] = folder }

// errMisplaced is returned by Finish if a run could not write to its folder.
var errMisplaced = errors.New("runs could not write their results there")

// Finish writes the description of the runs, and an index drawn by page, and moves everything into
// the folder. If it fails, the results of the runs stay where they are until Rescue or Discard.
func (f *RepetitionsFolder) Finish(r *Repetitions, page func(io.Writer, *Repetitions) error) error {
	if len(f.elsewhere) > 0 {
		return errMisplaced
	}
	// The folder may have changed since NewRepetitionsFolder.
	if err := CheckOutput(f.dir, f.overwrite); err != nil {
		return err
	}
	if err := writeRepetitions(f.place.Path(), r, page); err != nil {
		return err
	}
	if err := f.place.commit(RepetitionsFile); err != nil {
		return err
	}
	return f.place.Close()
}

// writeRepetitions writes the description of the runs, and the index, beside their folders.
func writeRepetitions(dir string, r *Repetitions, page func(io.Writer, *Repetitions) error) error {
	err := removeOwn(dir)
	if err != nil {
		return err
	}
	err = writeFile(filepath.Join(dir, RepetitionsFile), func(w io.Writer) error { return writeJSON(w, r) })
	if err != nil {
		return fmt.Errorf("write %s: %w", RepetitionsFile, err)
	}
	err = writeFile(filepath.Join(dir, IndexFile), func(w io.Writer) error { return page(w, r) })
	if err != nil {
		return fmt.Errorf("write %s: %w", IndexFile, err)
	}
	return syncDir(dir)
}

// removeOwn removes what runs that were killed while they wrote have left in their folders, and
// folders that are empty then.
func removeOwn(dir string) error {
	runs, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("look at what the runs have written: %w", err)
	}
	var problems []error
	for _, run := range runs {
		folder := filepath.Join(dir, run.Name())
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue // not a folder
		}
		whole := 0
		for _, entry := range entries {
			if !ownEntry(entry.Name()) {
				whole++
				continue
			}
			problems = append(problems, os.RemoveAll(filepath.Join(folder, entry.Name())))
		}
		if whole == 0 {
			problems = append(problems, os.RemoveAll(folder))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("remove half-written results: %w", err)
	}
	return nil
}

// Rescue copies the results of the runs to a new folder below parent, and returns that folder. It
// is for when Finish failed. If Rescue fails, the results stay where they are, and the error says
// where.
func (f *RepetitionsFolder) Rescue(parent string, r *Repetitions, page func(io.Writer, *Repetitions) error) (dir string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w (what the runs have written is in %s)", err, f.place.Path())
		}
	}()
	if dir, err = newRescue(parent); err != nil {
		return "", err
	}
	for i := range r.Runs {
		run := &r.Runs[i]
		if run.Folder == "" {
			continue
		}
		from := f.Run(run.Number)
		if elsewhere, ok := f.elsewhere[run.Number]; ok {
			from = elsewhere
		}
		if err := os.CopyFS(filepath.Join(dir, run.Folder), os.DirFS(from)); err != nil {
			return "", fmt.Errorf("copy the results of run %d to %s: %w", run.Number, dir, err)
		}
	}
	if err := writeRepetitions(dir, r, page); err != nil {
		return "", err
	}
	for _, folder := range f.elsewhere {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	return dir, errors.Join(err, f.Discard())
}

// Discard removes everything that the runs have written, and leaves the rest of the folder alone.
func (f *RepetitionsFolder) Discard() error {
	err := f.place.Close()
	removeEmpty(f.made)
	if err != nil {
		return fmt.Errorf("remove the temporary folder: %w", err)
	}
	return nil
}
