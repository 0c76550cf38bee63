package results

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// The files of a result folder.
const (
	SummaryFile  = "summary.json"
	PodsFile     = "pods.parquet"
	NodesFile    = "nodes.parquet"
	TimelineFile = "timeline.parquet"
	EventsFile   = "events.parquet"
	// DecisionsFile is written if there are decisions of an autoscaler.
	DecisionsFile = "decisions.parquet"
	ReportFile    = "report.html"
	// ChecksumsFile has the checksums of the other files.
	ChecksumsFile = "checksums.sha256"
)

// WriteOptions configure [Write].
type WriteOptions struct {
	// Overwrite replaces a result folder that exists. Anything else that exists is never replaced.
	Overwrite bool
	// Report draws report.html; nil leaves it out.
	Report func(io.Writer, *Run) error
	// Files are copied to the folder.
	Files []File
}

// File is a file that a simulation has beside what is computed, such as the output of a program.
type File struct {
	// Name is its name in the result folder.
	Name string
	// Path is where it is.
	Path string
}

// copyTo writes the content of the file.
func (f File) copyTo(w io.Writer) error {
	from, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, from)
	return errors.Join(err, from.Close())
}

// ExistsError is returned if something exists where a result folder is to be written.
type ExistsError struct {
	Dir string
	// Results is true for a folder of results, which Overwrite would replace.
	Results bool
}

func (e *ExistsError) Error() string {
	if e.Results {
		return fmt.Sprintf("%s already holds results", e.Dir)
	}
	return fmt.Sprintf("%s exists and is not a result folder", e.Dir)
}

// CheckOutput returns the *ExistsError that [Write] would return, so that a long run can fail
// before it starts. It returns nil if dir does not exist or is empty or, with overwrite, if it has
// the results of one run or of several. Files that a run needs for itself in the folder do not
// count.
func CheckOutput(dir string, overwrite bool) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
			return &ExistsError{Dir: dir}
		}
		return fmt.Errorf("look at the output folder: %w", err)
	case !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !ownEntry(e.Name()) }):
		return nil
	}
	if !holdsResults(dir) {
		return &ExistsError{Dir: dir}
	}
	if overwrite {
		return nil
	}
	return &ExistsError{Dir: dir, Results: true}
}

func holdsResults(dir string) bool {
	if _, err := ReadSummary(dir); err == nil {
		return true
	}
	_, err := ReadRepetitions(dir)
	return err == nil
}

// Write writes a run as a folder: all of it, or nothing. It makes the folder and missing parents.
// Files get their names when they are complete and on disk, the summary last.
func Write(dir string, run *Run, opts WriteOptions) (err error) {
	if err := CheckOutput(dir, opts.Overwrite); err != nil {
		return err
	}
	made, err := makeFolders(dir)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			removeEmpty(made)
		}
	}()
	place, err := newPlace(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	if err := writeFiles(place.Path(), run, opts); err != nil {
		return err
	}
	return place.commit(SummaryFile)
}

func writeFiles(dir string, run *Run, opts WriteOptions) error {
	type file struct {
		name  string
		write func(io.Writer) error
	}
	files := []file{
		{SummaryFile, func(w io.Writer) error { return writeJSON(w, &run.Summary) }},
		{PodsFile, func(w io.Writer) error { return writeRows(w, run.Pods) }},
		{NodesFile, func(w io.Writer) error { return writeRows(w, run.Nodes) }},
		{TimelineFile, func(w io.Writer) error { return writeRows(w, run.Timeline) }},
		{EventsFile, func(w io.Writer) error { return writeRows(w, run.Events) }},
	}
	if len(run.Decisions) > 0 {
		files = append(files, file{DecisionsFile, func(w io.Writer) error { return writeRows(w, run.Decisions) }})
	}
	if opts.Report != nil {
		files = append(files, file{ReportFile, func(w io.Writer) error { return opts.Report(w, run) }})
	}
	for _, f := range opts.Files {
		files = append(files, file{f.Name, f.copyTo})
	}
	sums := checksums{}
	for _, f := range files {
		sum := sha256.New()
		if err := writeFile(filepath.Join(dir, f.name), func(w io.Writer) error { return f.write(io.MultiWriter(w, sum)) }); err != nil {
			return fmt.Errorf("write %s: %w", f.name, pathless(err))
		}
		sums[f.name] = hex.EncodeToString(sum.Sum(nil))
	}
	if err := writeFile(filepath.Join(dir, ChecksumsFile), sums.write); err != nil {
		return fmt.Errorf("write %s: %w", ChecksumsFile, pathless(err))
	}
	return syncDir(dir)
}

func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := write(f); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open %s to sync it: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

func writeJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	// Messages of the scheduler are for people, and the file is never part of a page as it is.
	enc.SetEscapeHTML(false)
	return enc.Encode(value)
}
