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
	for name, tc := range map[string]struct {
		runs    *results.Repetitions
		written error
		code    int
		err     string // the run's error
		report  bool
	}{
		"done":                {whole(), nil, exitDone, "", true},
		"one failed":          {some, nil, exitFailed, "1 of 3 runs failed", true},
		"interrupted":         {sample.Repetitions(), nil, exitInterrupted, "the results only cover what was replayed", true},
		"interrupted at once": {nothing, nil, exitInterrupted, "so there are no results", false},
		"not written":         {whole(), full, exitFailed, "disk full", false},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p := &program{streams: Streams{Out: &out}}
			err := p.showRepetitions(t.Context(), "out", tc.runs, tc.written, false)
			if got := exitCode(t.Context(), err); got != tc.code {
				t.Errorf("exit code %d, want %d", got, tc.code)
			}
			if err != nil && (tc.err == "" || !strings.HasSuffix(err.Error(), tc.err)) {
				t.Errorf("error is %v, want one that ends with %q", err, tc.err)
			}
			if !strings.HasPrefix(out.String(), "day, ") || strings.HasSuffix(out.String(), report) != tc.report {
				t.Errorf("standard output is\n%s\nwant the summary, with the report's path: %t", out.String(), tc.report)
			}
		})
	}
}
