package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNotResults is returned if a folder has no results.
var ErrNotResults = errors.New("not a result folder")

// VersionError is returned if a file has a schema version that this package does not read.
type VersionError struct {
	Path    string
	Version int
	// Want is the version that this package reads.
	Want int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has schema version %d, and this program reads version %d", e.Path, e.Version, e.Want)
}

// Read reads a folder that [Write] wrote. The error wraps [ErrNotResults] if there is no summary,
// is a *[VersionError] if the summary is of another version, wraps [ErrDamaged] if a file is not
// what was written, and names the file if one is missing.
func Read(dir string) (*Run, error) {
	summary, err := ReadSummary(dir)
	if err != nil {
		return nil, err
	}
	names := []string{SummaryFile, PodsFile, NodesFile, TimelineFile, EventsFile}
	if len(summary.Timing.Decisions) > 0 {
		names = append(names, DecisionsFile)
	}
	files, err := readVerified(dir, names...)
	if err != nil {
		return nil, err
	}
	run := &Run{Summary: *summary}
	err = errors.Join(readRows(&run.Pods, dir, PodsFile, files), readRows(&run.Nodes, dir, NodesFile, files),
		readRows(&run.Timeline, dir, TimelineFile, files), readRows(&run.Events, dir, EventsFile, files))
	if err != nil {
		return nil, err
	}
	if len(summary.Timing.Decisions) > 0 {
		if err := readRows(&run.Decisions, dir, DecisionsFile, files); err != nil {
			return nil, err
		}
	}
	for i := range run.Decisions {
		d := &run.Decisions[i]
		d.Nodes, d.Replacements, d.Alternatives, d.Pods = orNil(d.Nodes), orNil(d.Replacements), orNil(d.Alternatives), orNil(d.Pods)
	}
	for i := range run.Pods {
		run.Pods[i].Resources = orNil(run.Pods[i].Resources)
	}
	for i := range run.Nodes {
		run.Nodes[i].Resources = orNil(run.Nodes[i].Resources)
		run.Nodes[i].ReplacedBy = orNil(run.Nodes[i].ReplacedBy)
	}
	for i := range run.Timeline {
		run.Timeline[i].Resources = orNil(run.Timeline[i].Resources)
		run.Timeline[i].Costs = orNil(run.Timeline[i].Costs)
	}
	return run, nil
}

// orNil returns nil for an empty list. Parquet files do not distinguish the two.
func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// ReadSummary reads only summary.json of a folder. It returns the errors of [Read].
func ReadSummary(dir string) (*Summary, error) {
	return readJSON[Summary](dir, SummaryFile, SchemaVersion)
}

// readJSON reads a JSON file with a schemaVersion. The error wraps [ErrNotResults] if there is
// none, and is a *[VersionError] if it is of another version.
func readJSON[T any](dir, file string, version int) (*T, error) {
	path := filepath.Join(dir, file)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w: there is no %s in it", dir, ErrNotResults, file)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if err := checkVersion(path, data, version); err != nil {
		return nil, err
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &v, nil
}

// checkVersion returns an error if the text is not one of our files, or of a version that this
// package does not read.
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
