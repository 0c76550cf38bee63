package results_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
)

func open(t *testing.T, dir string) *results.Folder {
	t.Helper()
	f, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOpen_OneRun(t *testing.T) {
	dir, run := t.TempDir(), sample.Small()
	run.Summary.Run.Settings[results.SettingSeed] = "42"
	if err := results.Write(dir, run, results.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir)
	if !f.Single || len(f.Runs) != 1 || len(f.Repetitions.Runs) != 1 {
		t.Fatalf("got %+v, want the folder of one run", f)
	}
	got := f.Runs[0]
	if got.Number != 1 || got.Seed != 42 || got.Status != results.RunFinished || got.Dir != dir {
		t.Errorf("got %+v, want a run that finished, with its seed", got)
	}
	if diff := cmp.Diff(&run.Summary, got.Summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"nodes": "2"}, f.Repetitions.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(run.Summary.Run.Versions, f.Repetitions.Versions); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	back, err := got.Read()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run.Timeline, back.Timeline); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
}

// copyFolder copies test data to a folder that a test may change.
func copyFolder(t *testing.T, from string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The folders that skctl and sk-driver wrote before come with all that was in them, and with
// measures that did not exist then.
func TestOpen_WrittenBefore(t *testing.T) {
	const written = "testdata/written-before"
	// sk-driver wrote folders run-1 and run-2, and nothing beside them.
	driver := copyFolder(t, written)
	for from, to := range map[string]string{"run-01": "run-1", "run-02": "run-2"} {
		if err := os.Rename(filepath.Join(driver, from), filepath.Join(driver, to)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(driver, results.RepetitionsFile)); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		dir  string
		runs int
	}{
		"skctl, repetitions": {written, 2},
		"skctl, one run":     {filepath.Join(written, "run-01"), 1},
		"sk-driver":          {driver, 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, tc.dir)
			if len(f.Runs) != tc.runs || len(f.Repetitions.Runs) != tc.runs {
				t.Fatalf("got %d runs with results of %d, want %d", len(f.Runs), len(f.Repetitions.Runs), tc.runs)
			}
			r := f.Repetitions
			if r.Simulation != "old" || r.Trace.Path != "old.sktrace" || r.Versions["kubernetes"] != "v1.36.3" || r.Settings["nodes"] != "2 of small" {
				t.Errorf("described as %+v", r)
			}
			if _, ok := r.Settings[results.SettingSeed]; ok {
				t.Error("the settings that the runs have in common include a seed")
			}
			for i, run := range f.Runs {
				m := run.Measures
				if run.Number != i+1 || run.Status != results.RunFinished || m[results.MeasurePods] != 4 ||
					m[results.MeasurePendingMax] != 56 || m["nodeHours"] == 0 || m["meanUtilization[cpu]"] == 0 {
					t.Errorf("run %d is %+v", i+1, run.Repetition)
				}
				all, err := run.Read()
				if err != nil {
					t.Fatal(err)
				}
				if len(all.Pods) != 4 || len(all.Timeline) == 0 {
					t.Errorf("run %d has %d pods and %d rows of the timeline", i+1, len(all.Pods), len(all.Timeline))
				}
			}
			if got := r.Across[results.MeasureWallSeconds].Max; got != float64(9+tc.runs) {
				t.Errorf("the longest run took %v s, want %d", got, 9+tc.runs)
			}
		})
	}
}

// A run without results is described and not read.
func TestOpen_SomeFailed(t *testing.T) {
	dir := t.TempDir()
	if err := results.Write(filepath.Join(dir, "run-02"), sample.Small(), results.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	r := results.NewRepetitions("small", "small.sktrace", 2)
	r.Runs[0].Status, r.Runs[0].Error = results.RunFailed, "no luck"
	r.Add(2, "run-02", &sample.Small().Summary)
	r.Conclude()
	save(t, dir, r)
	f := open(t, dir)
	if len(f.Runs) != 1 || f.Runs[0].Number != 2 || f.Runs[0].Dir != filepath.Join(dir, "run-02") {
		t.Errorf("runs with results: %+v", f.Runs)
	}
	if diff := cmp.Diff(r, f.Repetitions); diff != "" {
		t.Errorf("repetitions (-written +read):\n%s", diff)
	}
}

func save(t *testing.T, dir string, r *results.Repetitions) {
	t.Helper()
	text, err := results.EncodeRepetitions(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, results.RepetitionsFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_Errors(t *testing.T) {
	const written = "testdata/written-before"
	change := func(name string, change func(text string) string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, name)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(change(string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	version := new(results.VersionError)
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, dir string)
		is    error
		as    any
		text  string
	}{
		"empty": {spoil: func(t *testing.T, dir string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}, is: results.ErrNotResults, text: "neither a summary.json nor a repetitions.json"},
		"changed summary": {
			spoil: change("run-02/summary.json", func(s string) string { return strings.Replace(s, `"created": 4`, `"created": 5`, 1) }),
			is:    results.ErrDamaged, text: "run 2: ",
		},
		"no summary": {spoil: func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "run-01", results.SummaryFile)); err != nil {
				t.Fatal(err)
			}
		}, is: os.ErrNotExist, text: "run 1: "},
		"another version": {
			spoil: change(results.RepetitionsFile, func(s string) string { return strings.Replace(s, `"schemaVersion": 1`, `"schemaVersion": 9`, 1) }),
			as:    &version, text: "version 9",
		},
		"a folder elsewhere": {
			spoil: change(results.RepetitionsFile, func(s string) string { return strings.Replace(s, `"folder": "run-01"`, `"folder": "../run-01"`, 1) }),
			is:    results.ErrDamaged, text: "outside",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyFolder(t, written)
			tc.spoil(t, dir)
			_, err := results.Open(dir)
			if err == nil || tc.is != nil && !errors.Is(err, tc.is) || tc.as != nil && !errors.As(err, tc.as) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("got %v, want an error with %q", err, tc.text)
			}
		})
	}
}

func TestDecodeRepetitions(t *testing.T) {
	want := sample.Repetitions()
	text, err := results.EncodeRepetitions(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := results.DecodeRepetitions(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("repetitions (-want +got):\n%s", diff)
	}
	var version *results.VersionError
	if _, err := results.DecodeRepetitions([]byte(`{"schemaVersion": 2}`)); !errors.As(err, &version) {
		t.Errorf("of another version: got %v", err)
	}
	if _, err := results.DecodeRepetitions([]byte(`{"sets": 3}`)); !errors.Is(err, results.ErrNotResults) {
		t.Errorf("of somebody's file: got %v", err)
	}
	var syntax *json.SyntaxError
	if _, err := results.DecodeRepetitions([]byte(`{`)); !errors.As(err, &syntax) {
		t.Errorf("of half a file: got %v", err)
	}
}
