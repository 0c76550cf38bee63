package results

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The files of a folder of several runs, beside a result folder for each.
const (
	RepetitionsFile = "repetitions.json"
	IndexFile       = "index.html"
)

// RepetitionsFolder is where several runs write their results. It is hidden until [RepetitionsFolder.Finish] gives it its
// name, so that a folder of that name is complete.
type RepetitionsFolder struct {
	dir, tmp  string
	runs      int
	overwrite bool
}

// NewRepetitionsFolder makes room for the results of so many runs in what will be dir. With overwrite it will take the place
// of a folder of results; anything else in the way is an *[ExistsError]. End it with Finish or Discard.
func NewRepetitionsFolder(dir string, runs int, overwrite bool) (*RepetitionsFolder, error) {
	if err := CheckOutput(dir, overwrite); err != nil {
		return nil, err
	}
	tmp, err := makeBeside(dir)
	if err != nil {
		return nil, err
	}
	return &RepetitionsFolder{dir: dir, tmp: tmp, runs: runs, overwrite: overwrite}, nil
}

// Name returns the name of a run's folder, counted from 1: run-01. All names are equally long.
func (f *RepetitionsFolder) Name(number int) string { return "run-" + RunLabel(number, f.runs) }

// Run returns the path at which a run is to write its result folder.
func (f *RepetitionsFolder) Run(number int) string { return filepath.Join(f.tmp, f.Name(number)) }

// Finish adds what the runs came to, and an index drawn by page, and gives the folder its name. When it fails
// the runs' folders stay where they are, and the error names that place.
func (f *RepetitionsFolder) Finish(r *Repetitions, page func(io.Writer, *Repetitions) error) error {
	if err := f.finish(r, page); err != nil {
		return fmt.Errorf("%w (what the runs have written is in %s)", err, f.tmp)
	}
	return nil
}

func (f *RepetitionsFolder) finish(r *Repetitions, page func(io.Writer, *Repetitions) error) error {
	// Much may have happened since the first look.
	if err := CheckOutput(f.dir, f.overwrite); err != nil {
		return err
	}
	if err := f.removeHidden(); err != nil {
		return err
	}
	err := writeFile(filepath.Join(f.tmp, RepetitionsFile), func(w io.Writer) error { return writeJSON(w, r) })
	if err != nil {
		return fmt.Errorf("write %s: %w", RepetitionsFile, err)
	}
	err = writeFile(filepath.Join(f.tmp, IndexFile), func(w io.Writer) error { return page(w, r) })
	if err != nil {
		return fmt.Errorf("write %s: %w", IndexFile, err)
	}
	if err := syncDir(f.tmp); err != nil {
		return err
	}
	return moveInto(f.dir, f.tmp)
}

// removeHidden takes away what runs left that were killed while they wrote.
func (f *RepetitionsFolder) removeHidden() error {
	entries, err := os.ReadDir(f.tmp)
	if err != nil {
		return fmt.Errorf("look at what the runs have written: %w", err)
	}
	var problems []error
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			problems = append(problems, os.RemoveAll(filepath.Join(f.tmp, entry.Name())))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("remove half-written results: %w", err)
	}
	return nil
}

// Discard removes everything the runs have written, and leaves what was in the way.
func (f *RepetitionsFolder) Discard() error {
	if err := os.RemoveAll(f.tmp); err != nil {
		return fmt.Errorf("remove the temporary folder: %w", err)
	}
	return nil
}
