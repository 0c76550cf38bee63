package results

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// RepetitionsSchemaVersion is the version of repetitions.json that this package writes, and the only one it reads.
const RepetitionsSchemaVersion = 1

// Repetitions is repetitions.json: what several simulations of the same came to, side by side.
// docs/repetitions.md describes it for people who have only the file.
type Repetitions struct {
	SchemaVersion int       `json:"schemaVersion"`
	Simulation    string    `json:"simulation"`
	Trace         TraceInfo `json:"trace"`
	// Interrupted tells that the user ended it before all were done.
	Interrupted bool `json:"interrupted"`
	// Versions and Settings are those of the runs, but for the seed.
	Versions map[string]string `json:"versions,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
	// Runs are all that were wanted, in order, also those that came to nothing.
	Runs []Repetition `json:"runs"`
	// Across spreads the measures over the runs that finished, by name; nil if none did.
	Across map[string]Spread `json:"across,omitempty"`
}

// RepetitionStatus is how a run ended.
type RepetitionStatus string

// The ways for a run to end.
const (
	// RunFinished replayed the whole trace.
	RunFinished RepetitionStatus = "finished"
	// RunInterrupted was ended early by the user. It has results if anything was replayed by then.
	RunInterrupted RepetitionStatus = "interrupted"
	// RunFailed has no results; Error says why.
	RunFailed RepetitionStatus = "failed"
	// RunNotStarted was not begun, because the user wanted no more.
	RunNotStarted RepetitionStatus = "notStarted"
)

// Repetition is one run.
type Repetition struct {
	// Number counts from 1.
	Number int `json:"number"`
	// Seed is 0 for a run that was left to chance.
	Seed   uint64           `json:"seed,omitempty"`
	Status RepetitionStatus `json:"status"`
	// Folder is where its results are, below that of repetitions.json; empty for none.
	Folder string `json:"folder,omitempty"`
	// Measures are the run's measures by name, see MeasuresOf; nil without results.
	Measures map[string]float64 `json:"measures,omitempty"`
	// PeakMemoryBytes is the most its process had resident; 0 where not known.
	PeakMemoryBytes int64 `json:"peakMemoryBytes,omitempty"`
	// Error says why a run failed, Hint what may help, Log is the file that tells more.
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
	Log   string `json:"log,omitempty"`
}

// Count tells how many runs ended in a way.
func (r *Repetitions) Count(status RepetitionStatus) int {
	n := 0
	for _, run := range r.Runs {
		if run.Status == status {
			n++
		}
	}
	return n
}

// HasResults tells whether any run has.
func (r *Repetitions) HasResults() bool {
	return slices.ContainsFunc(r.Runs, func(run Repetition) bool { return run.Measures != nil })
}

// Seeded tells whether the runs had seeds.
func (r *Repetitions) Seeded() bool {
	return slices.ContainsFunc(r.Runs, func(run Repetition) bool { return run.Seed != 0 })
}

// Label writes the number of a run as its folder does: 01. All are equally long.
func (r *Repetitions) Label(number int) string { return RunLabel(number, len(r.Runs)) }

// RunFolder returns the name of the folder of one of so many runs, counted from 1: run-01. All names are
// equally long.
func RunFolder(number, runs int) string { return "run-" + RunLabel(number, runs) }

// RunLabel writes the number of one of so many runs, all equally long: 01.
func RunLabel(number, runs int) string {
	return fmt.Sprintf("%0*d", max(2, len(strconv.Itoa(runs))), number)
}

// Failure is why some runs failed.
type Failure struct {
	// Runs says which: run 03, or runs 03, 07.
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

// ReadRepetitions reads repetitions.json of a folder. The error is or wraps [ErrNotResults] where there is none, and is
// a *[VersionError] where it is of another version.
func ReadRepetitions(dir string) (*Repetitions, error) {
	return readJSON[Repetitions](dir, RepetitionsFile, RepetitionsSchemaVersion)
}
