package results

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// NewRepetitions returns the description of runs that have not started. [Repetitions.Describe] adds
// details of the trace.
func NewRepetitions(simulation, trace string, runs int) *Repetitions {
	r := &Repetitions{
		SchemaVersion: RepetitionsSchemaVersion,
		Simulation:    simulation,
		Trace:         TraceInfo{Path: trace},
		Runs:          make([]Repetition, runs),
	}
	for i := range r.Runs {
		r.Runs[i] = Repetition{Number: i + 1, Status: RunNotStarted}
	}
	return r
}

// Add records that a run has results, in a folder below that of the repetitions. It panics if there
// is no run with that number.
func (r *Repetitions) Add(number int, folder string, s *Summary) {
	i := slices.IndexFunc(r.Runs, func(run Repetition) bool { return run.Number == number })
	run := &r.Runs[i]
	run.Status = RunFinished
	if s.Run.Interrupted {
		run.Status = RunInterrupted
	}
	run.Folder, run.Measures = folder, MeasuresOf(s)
	r.Describe(&s.Run)
}

// Describe sets what the runs have in common from one of them: the trace, versions, and settings
// without the seed. It has no effect if it was called before.
func (r *Repetitions) Describe(run *RunInfo) {
	if r.Versions != nil || r.Settings != nil {
		return
	}
	r.Trace = run.Trace
	r.Versions, r.Settings = maps.Clone(run.Versions), maps.Clone(run.Settings)
	delete(r.Settings, SettingSeed)
}

// Conclude sorts the runs and sets what is computed over all of them.
func (r *Repetitions) Conclude() {
	slices.SortFunc(r.Runs, func(a, b Repetition) int { return cmp.Compare(a.Number, b.Number) })
	r.Across = Across(r.Runs)
}

// EncodeRepetitions returns the text of a RepetitionsFile.
func EncodeRepetitions(r *Repetitions) ([]byte, error) {
	var out bytes.Buffer
	if err := writeJSON(&out, r); err != nil {
		return nil, fmt.Errorf("encode %s: %w", RepetitionsFile, err)
	}
	return out.Bytes(), nil
}

// DecodeRepetitions decodes the text of a RepetitionsFile. It returns the errors of
// [ReadRepetitions].
func DecodeRepetitions(text []byte) (*Repetitions, error) {
	if err := checkVersion(RepetitionsFile, text, RepetitionsSchemaVersion); err != nil {
		return nil, err
	}
	var r Repetitions
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", RepetitionsFile, err)
	}
	return &r, nil
}
