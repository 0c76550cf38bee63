package app

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
)

func TestProgram_ShowRepetitions(t *testing.T) {
	whole := func() *results.Repetitions {
		r := sample.Repetitions()
		r.Interrupted, r.Runs = false, r.Runs[:2]
		return r
	}
	some := whole()
	some.Runs = sample.Repetitions().Runs[:3]
	nothing := sample.Repetitions()
	nothing.Runs = nothing.Runs[5:]
	full := errors.New("disk full")
	report := "report: " + filepath.Join("out", "index.html") + "\n"
	exact := whole()
	for i := range exact.Runs {
		exact.Runs[i].Measures[results.MeasureDeviations] = 0
	}
	for name, tc := range map[string]struct {
		runs       *results.Repetitions
		written    error
		strict     bool
		code       int
		err        string // the run's error
		report     bool
		assessment string
	}{
		"done":                {whole(), nil, false, exitDone, "", true, "replayed with deviations in 2 of 2 runs\n"},
		"strict":              {whole(), nil, true, exitDeviations, "in 2 of 2 runs: not as recorded", true, "replayed with deviations in 2 of 2 runs\n"},
		"as recorded":         {exact, nil, true, exitDone, "", true, "replayed as recorded\n"},
		"one failed":          {some, nil, true, exitFailed, "1 of 3 runs failed", true, "replayed with deviations in 2 of 2 runs\n"},
		"interrupted":         {sample.Repetitions(), nil, true, exitInterrupted, "the results only cover what was replayed", true, "replayed with deviations in 4 of 4 runs\n"},
		"interrupted at once": {nothing, nil, false, exitInterrupted, "so there are no results", false, ""},
		"not written":         {whole(), full, false, exitFailed, "disk full", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p := &program{streams: Streams{Out: &out}}
			err := p.showRepetitions(t.Context(), "out", tc.runs, tc.written, simulateOptions{strict: tc.strict})
			if got := exitCode(t.Context(), err); got != tc.code {
				t.Errorf("exit code %d, want %d", got, tc.code)
			}
			if err != nil && (tc.err == "" || !strings.HasSuffix(err.Error(), tc.err)) {
				t.Errorf("error is %v, want one that ends with %q", err, tc.err)
			}
			if !strings.HasPrefix(out.String(), "day, ") || strings.HasSuffix(out.String(), report+tc.assessment) != tc.report {
				t.Errorf("standard output is\n%s\nwant the summary, with the report's path: %t", out.String(), tc.report)
			}
		})
	}
}
