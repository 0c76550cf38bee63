package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// Folder is a folder of results, of one run or of several runs of the same simulation.
type Folder struct {
	// Dir is its path.
	Dir string
	// Single reports whether it is the folder of one run. Otherwise each run has a folder in it.
	Single bool
	// Repetitions describes all runs, also those without results, with the versions and settings that
	// they have in common. For the folder of one run it describes that run.
	Repetitions *Repetitions
	// Runs are the runs that have results, in order.
	Runs []FolderRun
}

// FolderRun is a run that has results.
type FolderRun struct {
	// Repetition is the entry of the run in the folder's Repetitions.
	Repetition
	// Dir is the path of its results.
	Dir     string
	Summary *Summary
}

// Read reads all results of the run: pods, nodes, timeline and events. It returns the errors of the
// function [Read].
func (r *FolderRun) Read() (*Run, error) { return Read(r.Dir) }

// Open reads a folder of one run or of several, written by skctl or by sk-driver, and verifies the
// checksums of what it reads. Rows are read later, one run at a time, by [FolderRun.Read]. Open
// also reads folders of earlier versions; measures are then computed from the summaries.
//
// The error wraps [ErrNotResults] if there are no results, is a *[VersionError] if a file is of
// another version, wraps [ErrDamaged] if a file is not what was written, and names the file if one
// is missing.
func Open(dir string) (*Folder, error) {
	f := &Folder{Dir: dir}
	var err error
	switch _, err = os.Stat(filepath.Join(dir, SummaryFile)); {
	case err == nil:
		err = f.openSingle()
	case errors.Is(err, fs.ErrNotExist):
		err = f.openRepetitions()
	default:
		err = fmt.Errorf("open results: %w", err)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (f *Folder) openSingle() error {
	f.Single = true
	summary, err := readVerifiedSummary(f.Dir)
	if err != nil {
		return err
	}
	f.Repetitions = NewRepetitions(summary.Run.Simulation, summary.Run.Trace.Path, 1)
	f.Repetitions.Add(1, ".", summary)
	run := &f.Repetitions.Runs[0]
	if seed, ok := summary.Run.Settings[SettingSeed]; ok {
		// A setting is text for people: if it is not a number, there is no seed.
		run.Seed, _ = strconv.ParseUint(seed, 10, 64)
	}
	f.Repetitions.Conclude()
	f.Runs = []FolderRun{{Repetition: *run, Dir: f.Dir, Summary: summary}}
	return nil
}

func (f *Folder) openRepetitions() error {
	var err error
	f.Repetitions, err = ReadRepetitions(f.Dir)
	if errors.Is(err, ErrNotResults) {
		f.Repetitions, err = findRuns(f.Dir)
	}
	if err != nil {
		return err
	}
	for i := range f.Repetitions.Runs {
		run := &f.Repetitions.Runs[i]
		if run.Folder == "" {
			continue
		}
		// Anybody may have written the file: read nothing outside of the folder.
		if !filepath.IsLocal(run.Folder) {
			return fmt.Errorf("%s: %w: run %d is in %q, which is outside of it",
				filepath.Join(f.Dir, RepetitionsFile), ErrDamaged, run.Number, run.Folder)
		}
		at := filepath.Join(f.Dir, run.Folder)
		summary, err := readVerifiedSummary(at)
		if err != nil {
			return fmt.Errorf("run %d: %w", run.Number, err)
		}
		run.Measures = MeasuresOf(summary)
		f.Repetitions.Describe(&summary.Run)
		f.Runs = append(f.Runs, FolderRun{Repetition: *run, Dir: at, Summary: summary})
	}
	f.Repetitions.Across = Across(f.Repetitions.Runs)
	return nil
}

// findRuns describes the runs in a folder without a RepetitionsFile, which earlier versions of
// sk-driver did not write.
func findRuns(dir string) (*Repetitions, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open results: %w", err)
	}
	folders, name := map[int]string{}, regexp.MustCompile(`^run-(\d{1,9})$`)
	for _, e := range entries {
		if m := name.FindStringSubmatch(e.Name()); m != nil {
			number, _ := strconv.Atoi(m[1]) // nine digits at most
			if _, err := os.Stat(filepath.Join(dir, e.Name(), SummaryFile)); err == nil && number > 0 {
				folders[number] = e.Name()
			}
		}
	}
	if len(folders) == 0 {
		return nil, fmt.Errorf("%s: %w: it has neither a %s nor a %s", dir, ErrNotResults, SummaryFile, RepetitionsFile)
	}
	r := &Repetitions{SchemaVersion: RepetitionsSchemaVersion}
	for _, number := range slices.Sorted(maps.Keys(folders)) {
		summary, err := readVerifiedSummary(filepath.Join(dir, folders[number]))
		if err != nil {
			return nil, fmt.Errorf("run %d: %w", number, err)
		}
		r.Simulation = summary.Run.Simulation
		r.Runs = append(r.Runs, Repetition{Number: number})
		r.Add(number, folders[number], summary)
	}
	r.Conclude()
	return r, nil
}

// readVerifiedSummary reads the summary of a folder and verifies its checksum.
func readVerifiedSummary(dir string) (*Summary, error) {
	files, err := readVerified(dir, SummaryFile)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, SummaryFile)
	if err := checkVersion(path, files[SummaryFile], SchemaVersion); err != nil {
		return nil, err
	}
	var s Summary
	if err := json.Unmarshal(files[SummaryFile], &s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &s, nil
}
