package results_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestSummary_WriteText(t *testing.T) {
	seeded := sample.Small()
	seeded.Summary.Run.Settings[results.SettingSeed] = "42"
	for name, c := range map[string]struct {
		run    *results.Run
		width  int
		colour bool
	}{
		"seeded":     {seeded, 80, false},
		"day":        {sample.Day(1), 100, false},
		"day-colour": {sample.Day(1), 100, true},
		"day-narrow": {sample.Day(1), 48, false},
		"small":      {sample.Small(), 0, false},
		"empty":      {sample.Empty(), 80, false},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := c.run.Summary.WriteText(&out, c.width, c.colour); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if len(lines) > 14 {
				t.Errorf("%d lines are too many", len(lines))
			}
			for _, line := range lines {
				if got := utf8.RuneCountInString(line); !c.colour && c.width > 0 && got > c.width {
					t.Errorf("%d characters in %q", got, line)
				}
			}
			golden(t, name+".golden", out.String())
		})
	}
}

// TestWriteText_Escapes holds that names and messages of a cluster cannot change what a terminal
// shows, and that colours stay.
func TestWriteText_Escapes(t *testing.T) {
	const evil, want = "a\x1b[35m\u009b35m\u202eb", `a\x1b[35m\u009b35m\u202eb`
	run := sample.Small()
	run.Summary.Run.Simulation = evil
	deviations := run.Summary.Outcome.Deviations
	deviations.ByCategory = []results.CategoryCount{{Category: evil, Count: 1}}
	deviations.First = []results.Deviation{{Object: evil, Reason: evil, Action: evil}}
	before := sample.Small()
	before.Summary.Run.Simulation = evil
	before.Summary.Outcome.Deviations = nil // written by an earlier version
	problems := &before.Summary.Outcome.Problems
	problems.Total, problems.ByCategory = 1, []results.CategoryCount{{Category: evil, Count: 1}}
	repetitions := &results.Repetitions{Simulation: evil, Runs: []results.Repetition{{Number: 1, Status: results.RunFailed, Error: evil, Hint: evil, Log: evil}}}
	for name, write := range map[string]func(w *bytes.Buffer, colour bool) error{
		"summary":                       func(w *bytes.Buffer, colour bool) error { return run.Summary.WriteText(w, 200, colour) },
		"summary of an earlier version": func(w *bytes.Buffer, colour bool) error { return before.Summary.WriteText(w, 200, colour) },
		"deviations":                    func(w *bytes.Buffer, colour bool) error { return deviations.WriteText(w, 200, colour) },
		"runs":                          func(w *bytes.Buffer, colour bool) error { return repetitions.WriteText(w, 200, colour) },
	} {
		for _, colour := range []bool{false, true} {
			var out bytes.Buffer
			if err := write(&out, colour); err != nil {
				t.Fatal(err)
			}
			text := out.String()
			if strings.Contains(text, "\x1b[35m") || strings.ContainsAny(text, "\u009b\u202e") || strings.Count(text, want) < 2 || colour != strings.Contains(text, "\x1b[") {
				t.Errorf("%s in colour (%v): got %q", name, colour, text)
			}
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestFormat(t *testing.T) {
	for want, got := range map[string]string{
		"3.14":   results.FormatNumber(3.14159),
		"31.4":   results.FormatNumber(31.4159),
		"10":     results.FormatNumber(9.999),
		"100":    results.FormatNumber(99.96),
		"12,346": results.FormatNumber(12345.6),
		"0s":     results.FormatSeconds(0),
		"350µs":  results.FormatSeconds(0.00035),
		"1ms":    results.FormatSeconds(0.00099999),
		"12ms":   results.FormatSeconds(0.0123),
		"1s":     results.FormatSeconds(0.9999),
		"3.2s":   results.FormatSeconds(3.21),
		"10s":    results.FormatSeconds(9.97),
		"1m":     results.FormatSeconds(59.9),
		"4m10s":  results.FormatSeconds(250),
		"1h":     results.FormatSeconds(3599.9),
		"1h5m":   results.FormatSeconds(3900),
		"2d3h":   results.FormatSeconds(51 * 3600),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
