package test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/results"
)

// Two parallel runs leave a folder each and their common results, and nothing else.
func TestSimulate_Repetitions(t *testing.T) {
	t.Parallel()
	path := writeShop(t)
	s := newSandbox(t)
	r := s.skctl("simulate", path, "-o", "out", "-N", "2", "--parallel", "2", "--seed", "5")
	r.check(t, done)
	wants(t, "standard output", r.stdout, "shop, 2 repetitions: 2 finished", "\n  median", "report: out/index.html\n")
	wants(t, "standard error", r.stderr, "run 01: replaying", "run 02: replaying", "run 01: finished: 7 pods", "run 02: finished: 7 pods")

	dir := filepath.Join(s.dir, "out")
	for _, name := range []string{results.IndexFile, results.RepetitionsFile, "run-01/" + results.ReportFile, "run-02/" + results.PodsFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	got, err := results.ReadRepetitions(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Runs) != 2 || got.Interrupted || got.Across == nil {
		t.Fatalf("got %+v, want two runs that finished", got)
	}
	if want := (results.Spread{Min: 7, Median: 7, Max: 7}); got.Across[results.MeasurePods] != want {
		t.Errorf("pods spread over %+v, want %+v", got.Across[results.MeasurePods], want)
	}
	var outcomes []results.Outcome
	for i, run := range got.Runs {
		if run.Status != results.RunFinished || run.Seed != uint64(5+i) || run.PeakMemoryBytes < 100<<20 {
			t.Errorf("run %d is %+v, want one that finished, with the seed %d and the memory it took", i+1, run, 5+i)
		}
		summary := summary(t, filepath.Join(dir, run.Folder))
		outcomes = append(outcomes, summary.Outcome)
		if got, want := summary.Run.Settings[results.SettingSeed], strconv.Itoa(5+i); got != want {
			t.Errorf("the settings of run %d have the seed %q, want %s", i+1, got, want)
		}
	}
	if diff := cmp.Diff(outcomes[0], outcomes[1]); diff != "" {
		t.Errorf("the runs came to something else (-first +second):\n%s", diff)
	}
	if entries, err := os.ReadDir(s.dir); err != nil || len(entries) != 1 {
		t.Errorf("next to the folder of results: %v (%v)", entries, err)
	}
	empty(t, s.tmp)
}
