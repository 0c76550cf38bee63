package results

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"simkube.io/simkube/internal/words"
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
	// Runs are all that were wanted, in order, also those that came to nothing.
	Runs []Repetition `json:"runs"`
	// Across spreads the measures over the runs that finished; nil when none did.
	Across *Measures[Spread] `json:"across,omitempty"`
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
	// Measures are nil without results.
	Measures *Measures[float64] `json:"measures,omitempty"`
	// PeakMemoryBytes is the most its process had resident; 0 where not known.
	PeakMemoryBytes int64 `json:"peakMemoryBytes,omitempty"`
	// Error says why a run failed, Hint what may help, Log is the file that tells more.
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
	Log   string `json:"log,omitempty"`
}

// Measures are the numbers that runs are compared by: one each, or what they come to together.
type Measures[T any] struct {
	Pods           T `json:"pods"`
	NeverScheduled T `json:"neverScheduled"`
	// The percentiles of the time pods waited for a node, in seconds of the clock.
	PendingP50 T `json:"pendingP50"`
	PendingP90 T `json:"pendingP90"`
	PendingP99 T `json:"pendingP99"`
	PendingMax T `json:"pendingMax"`
	// PeakNodes is the most nodes there were at once.
	PeakNodes T `json:"peakNodes"`
	// WallSeconds is what the simulation took in real time.
	WallSeconds T `json:"wallSeconds"`
}

// Measure is one of the Measures for people.
type Measure struct {
	Name string
	// Format writes a value.
	Format func(float64) string
}

// AllMeasures lists them in the order of [Measures.Values].
func AllMeasures() []Measure {
	count := func(v float64) string { return words.Number(int(v)) }
	return []Measure{
		{"pods", count},
		{"no node", count},
		{"p50", FormatSeconds},
		{"p90", FormatSeconds},
		{"p99 wait", FormatSeconds},
		{"longest", FormatSeconds},
		{"nodes", count},
		{"took", FormatSeconds},
	}
}

// Values lists the measures in the order of [AllMeasures].
func (m *Measures[T]) Values() []T {
	var out []T
	for _, value := range m.fields() {
		out = append(out, *value)
	}
	return out
}

func (m *Measures[T]) fields() []*T {
	return []*T{
		&m.Pods, &m.NeverScheduled, &m.PendingP50, &m.PendingP90, &m.PendingP99, &m.PendingMax, &m.PeakNodes, &m.WallSeconds,
	}
}

// Spread is what values of several runs come to. The median is one of them: of an even number the lower of the two
// in the middle.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// MeasuresOf takes from a summary what runs are compared by.
func MeasuresOf(s *Summary) *Measures[float64] {
	pending := s.Timing.Pending
	return &Measures[float64]{
		Pods:           float64(s.Outcome.Pods.Created),
		NeverScheduled: float64(s.Outcome.Pods.NeverScheduled),
		PendingP50:     pending.P50,
		PendingP90:     pending.P90,
		PendingP99:     pending.P99,
		PendingMax:     pending.Max,
		PeakNodes:      float64(s.Timing.Nodes.Peak),
		WallSeconds:    s.Run.WallSeconds,
	}
}

// Across spreads the measures of the runs that finished; nil when none did. One that was interrupted would
// count as faster and smaller than it is.
func Across(runs []Repetition) *Measures[Spread] {
	var columns [][]float64
	for _, run := range runs {
		if run.Status != RunFinished || run.Measures == nil {
			continue
		}
		for i, value := range run.Measures.Values() {
			if i == len(columns) {
				columns = append(columns, nil)
			}
			columns[i] = append(columns[i], value)
		}
	}
	if columns == nil {
		return nil
	}
	var out Measures[Spread]
	for i, into := range out.fields() {
		values := columns[i]
		slices.Sort(values)
		*into = Spread{Min: values[0], Median: quantile(values, 0.5), Max: values[len(values)-1]}
	}
	return &out
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
