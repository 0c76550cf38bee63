package results_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
)

func reserve(t *testing.T, dir string) *results.Reservation {
	t.Helper()
	r, err := results.Reserve(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func release(t *testing.T, r *results.Reservation) {
	t.Helper()
	if err := r.Release(); err != nil {
		t.Error(err)
	}
}

// A reserved folder is made, and takes results; without results it goes again, with the parents
// that were made for it.
func TestReserve(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "made", "for", "it")
	r := reserve(t, dir)
	if err := results.Write(dir, sample.Empty(), results.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	release(t, r)
	if _, err := results.ReadSummary(dir); err != nil {
		t.Error(err)
	}
	for _, name := range names(t, dir) {
		if strings.HasPrefix(name, ".") {
			t.Errorf("%s was left", name)
		}
	}

	release(t, reserve(t, filepath.Join(parent, "other", "one")))
	if got := names(t, parent); len(got) != 1 {
		t.Errorf("there are %v, want the folder with results alone", got)
	}
	empty := t.TempDir()
	release(t, reserve(t, empty))
	if got := names(t, empty); len(got) != 0 {
		t.Errorf("left in a folder that was there: %v", got)
	}
}

func TestReserve_Taken(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	r := reserve(t, dir)
	if _, err := results.Reserve(dir, false); !errors.Is(err, results.ErrReserved) {
		t.Errorf("got error %v, want %v", err, results.ErrReserved)
	}
	if results.Sweep(dir) {
		t.Error("a run that is under way was swept")
	}
	release(t, r)
	release(t, reserve(t, dir))
}

// What cannot be made or written to is found out at once, and leaves nothing.
func TestReserve_Fails(t *testing.T) {
	parent := t.TempDir()
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ dir, want string }{
		"file in the way":  {file, "exists and is not a result folder"},
		"below a file":     {filepath.Join(file, "out"), "not a directory"},
		"no such system":   {"/proc/none/out", "make the output folder: mkdir /proc/none: no such file or directory"},
		"nothing writable": {"/proc/self/task", "/proc/self/task exists and is not a result folder"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := results.Reserve(tc.dir, false)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
		})
	}
	if got := names(t, parent); len(got) != 1 {
		t.Errorf("there are %v, want the file alone", got)
	}
}

// Runs that start at the same time look for leftovers in each other's folders.
func TestReserve_Beside(t *testing.T) {
	parent := t.TempDir()
	for round := range 20 {
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				dir := filepath.Join(parent, strconv.Itoa(i))
				r, err := results.Reserve(dir, false)
				if err != nil {
					t.Errorf("round %d: reserve %s: %v", round, dir, err)
					return
				}
				if err := r.Release(); err != nil {
					t.Errorf("round %d: release %s: %v", round, dir, err)
				}
			})
		}
		all.Wait()
	}
}
