package results

import (
	"os"
	"path/filepath"
	"testing"

	"simkube.io/simkube/internal/scratch"
)

// leave has a folder look as if a run that had reserved it was killed while it wrote its results.
func leave(t *testing.T, dir string) {
	t.Helper()
	r, err := Reserve(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, placePrefix+"1")
	if err := os.MkdirAll(filepath.Join(half, newFolder), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(half, scratch.LockFile), filepath.Join(half, newFolder, PodsFile), filepath.Join(dir, probeFile)} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.lock.Close(); err != nil {
		t.Fatal(err)
	}
}

// What a killed run has left goes with the next that writes beside it or in the same place; what
// somebody has put there since stays, and so does the folder of a run that is under way.
func TestReserve_SweepsKilled(t *testing.T) {
	parent := t.TempDir()
	path := func(name string) string { return filepath.Join(parent, name) }
	for _, name := range []string{"killed", "again", "noted"} {
		leave(t, path(name))
	}
	if err := os.WriteFile(filepath.Join(path("noted"), "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	living, err := Reserve(path("living"), false)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Reserve(path("again"), false)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"killed": -1, "noted": 1, "living": 1, "again": 1} {
		entries, err := os.ReadDir(path(name))
		if got := len(entries); err == nil && got != want || err != nil && want != -1 {
			t.Errorf("%s: got entries %v (%v), want %d", name, entries, err, want)
		}
	}
	for _, r := range []*Reservation{living, again} {
		if err := r.Release(); err != nil {
			t.Error(err)
		}
	}
}

// A run that was killed while it replaced results leaves those that were there, or its own.
func TestReserve_PutsBack(t *testing.T) {
	for name, complete := range map[string]bool{"before the last move": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			leave(t, dir)
			old := filepath.Join(dir, placePrefix+"1", oldFolder)
			if err := Write(old, NewRecorder().Run(info(10)), WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join(old, SummaryFile))
			if err != nil {
				t.Fatal(err)
			}
			if complete {
				want = []byte(`{"schemaVersion": 1}`)
				if err := os.WriteFile(filepath.Join(dir, SummaryFile), want, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, PodsFile), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if !Sweep(dir) {
				t.Fatal("it was not swept")
			}
			if got, err := os.ReadFile(filepath.Join(dir, SummaryFile)); err != nil || string(got) != string(want) {
				t.Errorf("got summary %.60q (%v), want %.60q", got, err, want)
			}
			if _, err := os.Stat(filepath.Join(dir, placePrefix+"1")); !os.IsNotExist(err) {
				t.Errorf("the folder of the killed run is still there (%v)", err)
			}
		})
	}
}
