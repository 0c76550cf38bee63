package driver

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/simulation"
)

func TestPack(t *testing.T) {
	want := saved{Simulation: "uid", Run: 3, Checkpoint: simulation.Checkpoint{
		Root: mutate.Root{Name: "pod-root", UID: "root"}, ClockStart: time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC),
		Shift: 17 * time.Second, At: time.Date(2026, 1, 2, 3, 5, 5, 0, time.UTC), Paused: true,
		Done: 41, Events: 42, Applied: 100, Deleted: 7, Problems: 1, Numbers: map[string]int{"a": 1, "b": 2},
	}}
	packed, err := pack(want)
	if err != nil {
		t.Fatal(err)
	}
	var got saved
	if err := unpack(packed, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a checkpoint that was packed and unpacked (-want +got):\n%s", diff)
	}
}

func FuzzUnpack(f *testing.F) {
	packed, err := pack(saved{Simulation: "uid", Run: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add(packed[:len(packed)/2])
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s saved
		if err := unpack(data, &s); err != nil {
			return
		}
		if _, err := pack(s); err != nil {
			t.Errorf("what was unpacked cannot be packed: %v", err)
		}
	})
}

// A checkpoint without space for all numbers keeps those that the existing pods do not show, then
// none. Everything else stays.
func TestFit(t *testing.T) {
	at := saved{Simulation: "uid", Run: 2, Checkpoint: simulation.Checkpoint{Done: 41, Shift: time.Hour, Paused: true, Numbers: map[string]int{"many": 7}}}
	for i := range 5000 {
		at.Checkpoint.Numbers[fmt.Sprintf("job-%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))] = 1
	}
	whole, err := pack(at)
	if err != nil {
		t.Fatal(err)
	}
	c := &checkpoints{log: slog.New(slog.DiscardHandler)}
	for _, tc := range []struct {
		limit int
		want  map[string]int
	}{
		{len(whole), at.Checkpoint.Numbers},
		{len(whole) - 1, map[string]int{"many": 7}},
		{10, nil},
	} {
		packed, err := c.fit(at, tc.limit)
		if err != nil {
			t.Fatal(err)
		}
		var got saved
		if err := unpack(packed, &got); err != nil {
			t.Fatal(err)
		}
		want := at
		want.Checkpoint.Numbers = tc.want
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in %d bytes (-want +got):\n%s", tc.limit, diff)
		}
	}
}
