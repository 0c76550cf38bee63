package results

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// RepetitionsSchemaVersion is the version of repetitions.json that this package writes, and the
// only one it reads.
const RepetitionsSchemaVersion = 1

// Repetitions is repetitions.json: several runs of the same simulation side by side.
// docs/repetitions.md describes the file.
type Repetitions struct {
	SchemaVersion int       `json:"schemaVersion"`
	Simulation    string    `json:"simulation"`
	Trace         TraceInfo `json:"trace"`
	// Interrupted is true if the user ended it before all runs were done.
	Interrupted bool `json:"interrupted"`
	// Versions and Settings are those of the runs, without the seed.
	Versions map[string]string `json:"versions,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
	// Runs are all runs that were requested, in order, with or without results.
	Runs []Repetition `json:"runs"`
	// Across has the spread of each measure over the runs that finished, by name; nil if none did.
	Across map[string]Spread `json:"across,omitempty"`
}

// RepetitionStatus is how a run ended.
type RepetitionStatus string

// The states of a run.
const (
	// RunFinished replayed the whole trace.
	RunFinished RepetitionStatus = "finished"
	// RunInterrupted was ended early, by the user or with the first problem. It has results if
	// anything was replayed by then.
	RunInterrupted RepetitionStatus = "interrupted"
	// RunFailed has no results; Error says why.
	RunFailed RepetitionStatus = "failed"
	// RunNotStarted has not started, or was not started after an interrupt.
	RunNotStarted RepetitionStatus = "notStarted"
)

// Repetition is one run.
type Repetition struct {
	// Number counts from 1.
	Number int `json:"number"`
	// Seed is 0 for a run without a seed.
	Seed   uint64           `json:"seed,omitempty"`
	Status RepetitionStatus `json:"status"`
	// Folder is the folder of its results, relative to repetitions.json; empty for none.
	Folder string `json:"folder,omitempty"`
	// Measures are the run's measures by name, see MeasuresOf; nil if it has no results.
	Measures map[string]float64 `json:"measures,omitempty"`
	// PeakMemoryBytes is the peak resident memory of its process; 0 if not known.
	PeakMemoryBytes int64 `json:"peakMemoryBytes,omitempty"`
	// Error says why a run failed, Hint what may help, and Log is a file with details.
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
	Log   string `json:"log,omitempty"`
}

// Count returns how many runs have a status.
func (r *Repetitions) Count(status RepetitionStatus) int {
	n := 0
	for _, run := range r.Runs {
		if run.Status == status {
			n++
		}
	}
	return n
}

// HasResults reports whether any run has results.
func (r *Repetitions) HasResults() bool {
	return slices.ContainsFunc(r.Runs, func(run Repetition) bool { return run.Measures != nil })
}

// Seeded reports whether the runs had seeds.
func (r *Repetitions) Seeded() bool {
	return slices.ContainsFunc(r.Runs, func(run Repetition) bool { return run.Seed != 0 })
}

// Label returns the number of a run as in the name of its folder: 01. All labels are equally long.
func (r *Repetitions) Label(number int) string { return RunLabel(number, len(r.Runs)) }

// RunFolder returns the name of the folder of a run, counted from 1: run-01. All names are equally
// long.
func RunFolder(number, runs int) string { return "run-" + RunLabel(number, runs) }

// RunLabel returns the number of a run: 01. The labels of all runs are equally long.
func RunLabel(number, runs int) string {
	return fmt.Sprintf("%0*d", max(2, len(strconv.Itoa(runs))), number)
}

// Failure is a reason for which runs failed.
type Failure struct {
	// Runs names the runs: run 03, or runs 03, 07.
	Runs        string
	Error, Hint string
	Logs        []string
}

// Failures returns why runs failed, each reason once, in the order of the runs.
func (r *Repetitions) Failures() []Failure {
	type reason struct{ err, hint string }
	var order []reason
	failed := map[reason][]Repetition{}
	for _, run := range r.Runs {
		if run.Status != RunFailed {
			continue
		}
		why := reason{run.Error, run.Hint}
		if failed[why] == nil {
			order = append(order, why)
		}
		failed[why] = append(failed[why], run)
	}
	var out []Failure
	for _, why := range order {
		f := Failure{Error: why.err, Hint: why.hint}
		var labels []string
		for _, run := range failed[why] {
			labels = append(labels, r.Label(run.Number))
			if run.Log != "" {
				f.Logs = append(f.Logs, run.Log)
			}
		}
		f.Runs = "run " + labels[0]
		if len(labels) > 1 {
			f.Runs = "runs " + strings.Join(labels, ", ")
		}
		out = append(out, f)
	}
	return out
}

// ReadRepetitions reads repetitions.json of a folder. The error wraps [ErrNotResults] if there is
// none, and is a *[VersionError] if it is of another version.
func ReadRepetitions(dir string) (*Repetitions, error) {
	return readJSON[Repetitions](dir, RepetitionsFile, RepetitionsSchemaVersion)
}
