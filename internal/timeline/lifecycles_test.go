package timeline

import (
	"path/filepath"
	"slices"
	"testing"

	"simkube.io/simkube/internal/bigtrace"
	"simkube.io/simkube/trace"
)

func TestFile_Lifecycles(t *testing.T) {
	eachTrace(t, func(t *testing.T, path string) {
		f := open(t, path)
		whole, err := trace.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		owners := f.Owners()
		if len(owners) != len(whole.Lifecycles) {
			t.Fatalf("owners: got %d, want %d", len(owners), len(whole.Lifecycles))
		}
		for _, owner := range owners {
			left := map[uint64]int{}
			for hash, list := range whole.Lifecycles[owner] {
				left[hash] = len(list)
			}
			got := f.Lifecycles(owner)
			for i, l := range got {
				if !slices.Contains(whole.Lifecycles[owner][l.Hash], l.Lifecycle) {
					t.Errorf("%s has no %+v", owner, l)
				}
				left[l.Hash]--
				if i > 0 && got[i-1].Start > l.Start {
					t.Errorf("%s: %+v comes after %+v", owner, l, got[i-1])
				}
			}
			for hash, n := range left {
				if n != 0 {
					t.Errorf("%s: %d lifecycles of %d are missing", owner, n, hash)
				}
			}
		}
	})
}

// TestFile_Owner looks up the owner of every object in a generated trace: half of its Jobs belong
// to CronJobs.
func TestFile_Owner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made.sktrace")
	if err := bigtrace.Write(path, bigtrace.Options{Events: 1000, Objects: 100}); err != nil {
		t.Fatal(err)
	}
	f := open(t, path)
	above := 0
	for id := range ObjectID(f.Distinct()) {
		key := f.Object(id)
		history := f.History(id)
		p := history[len(history)-1]
		owner, ok, err := f.Owner(p)
		if err != nil {
			t.Fatal(err)
		}
		switch key.GVK.Kind {
		case "ConfigMap", "Secret", "ServiceAccount":
			if ok {
				t.Errorf("%s has the owner %s", key, owner)
			}
			continue
		}
		if !ok {
			t.Errorf("%s has no owner", key)
			continue
		}
		if owner.String() != key.String() {
			if key.GVK.Kind != "Job" || owner.GVK.Kind != "CronJob" {
				t.Errorf("%s has the owner %s", key, owner)
			}
			above++
		}
	}
	if above == 0 {
		t.Error("no Job belongs to a CronJob")
	}
	if _, ok, err := f.Owner(Place{Event: f.Len()}); ok || err != nil {
		t.Errorf("behind the last event: got an owner, %t, or the error %v", ok, err)
	}
}
