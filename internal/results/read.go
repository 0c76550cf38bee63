package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNotResults is returned when a folder is read that holds no results.
var ErrNotResults = errors.New("not a result folder")

// VersionError is returned when a summary is of a schema that this package doesn't know.
type VersionError struct {
	Path    string
	Version int
	// Want is the version that this package reads.
	Want int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has schema version %d, and this program reads version %d", e.Path, e.Version, e.Want)
}

// Read reads a folder that [Write] wrote. The error is or wraps [ErrNotResults] where there is no
// summary, a *[VersionError] where it is of another version, and names the file where one is missing
// or broken.
func Read(dir string) (*Run, error) {
	summary, err := ReadSummary(dir)
	if err != nil {
		return nil, err
	}
	run := &Run{Summary: *summary}
	if run.Pods, err = readRows[Pod](filepath.Join(dir, PodsFile)); err != nil {
		return nil, err
	}
	if run.Nodes, err = readRows[NodeRow](filepath.Join(dir, NodesFile)); err != nil {
		return nil, err
	}
	if run.Timeline, err = readRows[TimelineRow](filepath.Join(dir, TimelineFile)); err != nil {
		return nil, err
	}
	if run.Events, err = readRows[EventRow](filepath.Join(dir, EventsFile)); err != nil {
		return nil, err
	}
	return run, nil
}

// ReadSummary reads only summary.json of a folder, with the errors of [Read].
func ReadSummary(dir string) (*Summary, error) {
	path := filepath.Join(dir, SummaryFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w: there is no %s in it", dir, ErrNotResults, SummaryFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read the summary: %w", err)
	}
	if err := checkVersion(path, data, SchemaVersion); err != nil {
		return nil, err
	}
	var s Summary
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &s, nil
}

// checkVersion refuses the text of a file that is not ours, or not of the version that this package reads.
func checkVersion(path string, data []byte, want int) error {
	var version struct {
		SchemaVersion *int `json:"schemaVersion"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if version.SchemaVersion == nil {
		return fmt.Errorf("%s: %w: its %s has no schemaVersion", filepath.Dir(path), ErrNotResults, filepath.Base(path))
	}
	if *version.SchemaVersion != want {
		return &VersionError{Path: path, Version: *version.SchemaVersion, Want: want}
	}
	return nil
}
