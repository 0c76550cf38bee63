package results_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
)

// measures are those of a summary that is changed from one of nothing.
func measures(change func(*results.Summary)) map[string]float64 {
	var s results.Summary
	change(&s)
	return results.MeasuresOf(&s)
}

func finished(values ...float64) []results.Repetition {
	var out []results.Repetition
	for i, v := range values {
		out = append(out, results.Repetition{
			Number: i + 1, Status: results.RunFinished, Measures: measures(func(s *results.Summary) {
				s.Timing.Pending.P99, s.Run.WallSeconds = v, 2*v
			}),
		})
	}
	return out
}

func TestAcross(t *testing.T) {
	cut := finished(1, 5)
	cut[0].Status = results.RunInterrupted
	for name, tc := range map[string]struct {
		runs []results.Repetition
		want *results.Spread // of PendingP99; nil for none
	}{
		"none":            {nil, nil},
		"one":             {finished(3), &results.Spread{Min: 3, Median: 3, Max: 3}},
		"odd":             {finished(9, 1, 4), &results.Spread{Min: 1, Median: 4, Max: 9}},
		"even":            {finished(9, 1, 4, 5), &results.Spread{Min: 1, Median: 4, Max: 9}},
		"one interrupted": {cut, &results.Spread{Min: 5, Median: 5, Max: 5}},
		"all failed":      {[]results.Repetition{{Number: 1, Status: results.RunFailed}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := results.Across(tc.runs)
			if (got == nil) != (tc.want == nil) {
				t.Fatalf("got %+v, want %+v", got, tc.want)
			}
			if got == nil {
				return
			}
			if diff := cmp.Diff(*tc.want, got[results.MeasurePendingP99]); diff != "" {
				t.Errorf("p99 (-want +got):\n%s", diff)
			}
			if got["wallSeconds"].Max != 2*tc.want.Max {
				t.Errorf("wall time goes up to %v, want %v", got["wallSeconds"].Max, 2*tc.want.Max)
			}
		})
	}
}

func TestRepetitions_WriteText(t *testing.T) {
	good := sample.Repetitions()
	good.Interrupted, good.Runs = false, good.Runs[:2]
	good.Across = results.Across(good.Runs)
	chance := &results.Repetitions{Simulation: "shop", Runs: finished(0.2, 0.25)}
	chance.Across = results.Across(chance.Runs)
	broken := &results.Repetitions{Simulation: "shop"}
	for number := range 3 {
		broken.Runs = append(broken.Runs, results.Repetition{
			Number: number + 1, Status: results.RunFailed, Error: "read trace shop.sktrace: byte 7: the trace ends here", Hint: "record it again",
		})
	}
	for name, c := range map[string]struct {
		r      *results.Repetitions
		width  int
		colour bool
	}{
		"mixed":        {sample.Repetitions(), 100, false},
		"mixed-80":     {sample.Repetitions(), 80, false},
		"mixed-narrow": {sample.Repetitions(), 40, false},
		"mixed-colour": {sample.Repetitions(), 80, true},
		"good":         {good, 80, false},
		"chance":       {chance, 0, false},
		"broken":       {broken, 80, false},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := c.r.WriteText(&out, c.width, c.colour); err != nil {
				t.Fatal(err)
			}
			table, _, _ := strings.Cut(out.String(), " failed: ")
			for line := range strings.Lines(table) {
				if got := utf8.RuneCountInString(strings.TrimRight(line, "\n")); !c.colour && c.width > 0 && got > c.width {
					t.Errorf("%d characters in %q", got, line)
				}
			}
			golden(t, "repetitions-"+name+".golden", out.String())
		})
	}
}

func page(w io.Writer, r *results.Repetitions) error {
	_, err := io.WriteString(w, r.Simulation)
	return err
}

// writeRepetitions writes a folder of two runs, and returns what it says.
func writeRepetitions(t *testing.T, dir string, overwrite bool) (*results.Repetitions, error) {
	t.Helper()
	folder, err := results.NewRepetitionsFolder(dir, 2, overwrite)
	if err != nil {
		return nil, err
	}
	r := &results.Repetitions{SchemaVersion: results.RepetitionsSchemaVersion, Simulation: "two", Runs: finished(1, 2)}
	r.Across = results.Across(r.Runs)
	for i := range r.Runs {
		if err := results.CheckOutput(dir, overwrite); err != nil {
			t.Errorf("something is there before it is complete: %v", err)
		}
		if err := results.Write(folder.Run(i+1), sample.Empty(), results.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		r.Runs[i].Folder = folder.Name(i + 1)
	}
	// What a run leaves that is killed while it writes.
	if err := os.MkdirAll(filepath.Join(folder.Run(3), ".simkube-new-1", "new"), 0o700); err != nil {
		t.Fatal(err)
	}
	return r, folder.Finish(r, page)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestRepetitionsFolder(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	want, err := writeRepetitions(t, dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"index.html", "repetitions.json", "run-01", "run-02"}, names(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"out"}, names(t, parent)); diff != "" {
		t.Errorf("beside the folder (-want +got):\n%s", diff)
	}
	got, err := results.ReadRepetitions(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("repetitions (-written +read):\n%s", diff)
	}
	if _, err := results.ReadSummary(filepath.Join(dir, want.Runs[1].Folder)); err != nil {
		t.Error(err)
	}
}

func TestRepetitionsFolder_Name(t *testing.T) {
	for runs, want := range map[int]string{2: "run-01", 99: "run-01", 100: "run-001"} {
		folder, err := results.NewRepetitionsFolder(filepath.Join(t.TempDir(), "out"), runs, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := folder.Name(1); got != want {
			t.Errorf("of %d runs the first is %s, want %s", runs, got, want)
		}
	}
}

// Runs replace runs or one run, one run replaces runs, on request alone; and nothing that isn't
// ours.
func TestRepetitionsFolder_InTheWay(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, dir string)
		ours    bool
	}{
		"runs": {func(t *testing.T, dir string) {
			if _, err := writeRepetitions(t, dir, false); err != nil {
				t.Fatal(err)
			}
		}, true},
		"one run": {func(t *testing.T, dir string) {
			if err := results.Write(dir, sample.Empty(), results.WriteOptions{}); err != nil {
				t.Fatal(err)
			}
		}, true},
		"somebody's": {func(t *testing.T, dir string) {
			if err := os.MkdirAll(filepath.Join(dir, "run-01"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, false},
		"somebody's with such a file": {func(t *testing.T, dir string) {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, results.RepetitionsFile), []byte(`{"sets": 3}`), 0o644); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "out")
			tc.prepare(t, dir)
			before := names(t, dir)
			var exists *results.ExistsError
			if _, err := writeRepetitions(t, dir, false); !errors.As(err, &exists) || exists.Results != tc.ours {
				t.Errorf("without overwrite: got %v, want an ExistsError about results: %t", err, tc.ours)
			}
			_, err := writeRepetitions(t, dir, true)
			if tc.ours {
				if err != nil {
					t.Error(err)
				}
				if err := results.Write(dir, sample.Empty(), results.WriteOptions{Overwrite: true}); err != nil {
					t.Errorf("one run in the place of several: %v", err)
				}
			} else {
				if !errors.As(err, &exists) {
					t.Errorf("got %v, want an ExistsError", err)
				}
				if diff := cmp.Diff(before, names(t, dir)); diff != "" {
					t.Errorf("the folder has changed (-before +after):\n%s", diff)
				}
			}
			if diff := cmp.Diff([]string{"out"}, names(t, parent)); diff != "" {
				t.Errorf("beside the folder (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRepetitionsFolder_Discard(t *testing.T) {
	parent := t.TempDir()
	folder, err := results.NewRepetitionsFolder(filepath.Join(parent, "out"), 2, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := results.Write(folder.Run(1), sample.Empty(), results.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := folder.Discard(); err != nil {
		t.Fatal(err)
	}
	if left := names(t, parent); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Results are not lost when something stands in the way of their last step: they go elsewhere,
// those too that went elsewhere before.
func TestRepetitionsFolder_Rescue(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil     func(t *testing.T, dir string)
		misplaced bool
	}{
		"somebody's file": {func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
		"a run that went elsewhere": {func(*testing.T, string) {}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir, spare := filepath.Join(t.TempDir(), "out"), t.TempDir()
			folder, err := results.NewRepetitionsFolder(dir, 2, false)
			if err != nil {
				t.Fatal(err)
			}
			r := &results.Repetitions{Runs: []results.Repetition{{Number: 1, Folder: folder.Name(1)}, {Number: 2, Folder: folder.Name(2)}}}
			if err := results.Write(folder.Run(1), sample.Empty(), results.WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			second := folder.Run(2)
			if tc.misplaced {
				second = filepath.Join(t.TempDir(), "second")
				folder.Misplaced(2, second)
			}
			if err := results.Write(second, sample.Empty(), results.WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			tc.spoil(t, dir)
			if err := folder.Finish(r, page); err == nil {
				t.Fatal("Finish did not fail")
			}
			rescued, err := folder.Rescue(spare, r, page)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"index.html", "repetitions.json", "run-01", "run-02"}, names(t, rescued)); diff != "" {
				t.Errorf("rescued (-want +got):\n%s", diff)
			}
			for _, run := range r.Runs {
				if _, err := results.ReadSummary(filepath.Join(rescued, run.Folder)); err != nil {
					t.Error(err)
				}
			}
			if entries, err := os.ReadDir(dir); err == nil && len(entries) > 1 {
				t.Errorf("left in the folder: %v", entries)
			}
			if _, err := os.Stat(second); !os.IsNotExist(err) {
				t.Errorf("the second run's folder is still there (%v)", err)
			}
		})
	}
}

// Where nothing can be written elsewhere either, the results stay where they are, and the error
// says where.
func TestRepetitionsFolder_RescueFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	folder, err := results.NewRepetitionsFolder(dir, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := results.Write(folder.Run(1), sample.Empty(), results.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err = folder.Rescue(filepath.Join(dir, "none"), &results.Repetitions{}, page)
	if kept := filepath.Dir(folder.Run(1)); err == nil || !strings.Contains(err.Error(), kept) {
		t.Errorf("the error is %v, want one that names %s", err, kept)
	}
	if _, err := results.ReadSummary(folder.Run(1)); err != nil {
		t.Error(err)
	}
}
