package results_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
)

func TestSummary_Assessment(t *testing.T) {
	for name, c := range map[string]struct {
		deviations  *results.Deviations
		interrupted bool
		want        string
	}{
		"as recorded":                   {&results.Deviations{}, false, "replayed as recorded"},
		"interrupted":                   {&results.Deviations{}, true, "replayed as recorded until it was interrupted"},
		"one":                           {&results.Deviations{Total: 1}, false, "replayed with 1 deviation"},
		"more":                          {&results.Deviations{Total: 1200}, true, "replayed with 1,200 deviations"},
		"written by an earlier version": {nil, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := results.Summary{Outcome: results.Outcome{Deviations: c.deviations}, Run: results.RunInfo{Interrupted: c.interrupted}}
			if got := s.Assessment(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestRepetitions_Assessment(t *testing.T) {
	run := func(measures map[string]float64) results.Repetition { return results.Repetition{Measures: measures} }
	none, some := map[string]float64{"deviations": 0}, map[string]float64{"deviations": 7}
	for want, runs := range map[string][]results.Repetition{
		"":                     {run(nil), run(map[string]float64{"pods": 1})},
		"replayed as recorded": {run(none), run(none), run(nil)},
		"replayed with deviations in 1 of 2 runs": {run(some), run(none), run(nil)},
	} {
		r := results.Repetitions{Runs: runs}
		if got := r.Assessment(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDeviations_WriteText(t *testing.T) {
	for name, c := range map[string]struct {
		run   *results.Run
		width int
	}{
		"day-deviations":    {sample.Day(1), 100},
		"narrow-deviations": {sample.Day(1), 40},
	} {
		var out bytes.Buffer
		if err := c.run.Summary.Outcome.Deviations.WriteText(&out, c.width, false); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if got := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); got > c.width {
				t.Errorf("%s: %d characters in %q", name, got, line)
			}
		}
		golden(t, name+".golden", out.String())
	}
}
