package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/trace"
)

// TestGenerate_Committed checks that the committed traces are the output of the generator.
func TestGenerate_Committed(t *testing.T) {
	for _, name := range []string{"day", "first-steps"} {
		t.Run(name, func(t *testing.T) {
			made := filepath.Join(t.TempDir(), "made.sktrace")
			if err := generate(name, 1, made); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(made)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile("../" + name + ".sktrace")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("examples/%s.sktrace (%d bytes) is not what the generator makes (%d bytes): run make generate", name, len(want), len(got))
			}
		})
	}
}

func TestGenerate_SeedsDiffer(t *testing.T) {
	write := func(seed uint64) []byte {
		made, err := day(seed).trace()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := made.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if !bytes.Equal(write(7), write(7)) {
		t.Error("got two traces from one seed, want one")
	}
	if bytes.Equal(write(7), write(8)) {
		t.Error("got one trace from two seeds, want two")
	}
}

// TestDay_Nodes checks the size of the day, and that its pods fit on nodes of the usual kind.
func TestDay_Nodes(t *testing.T) {
	file, err := trace.Open("../day.sktrace")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	demand, err := nodes.ReadDemand(t.Context(), &file.Reader, 0)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := nodes.Prepare(nodes.Spec{}, demand)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(plan.Summary)
	if n := len(plan.Nodes); n < 20 || n > 30 {
		t.Errorf("got %d nodes, want 20 to 30", n)
	}
	if len(plan.Findings) > 0 || len(plan.Notes) > 0 {
		t.Errorf("got findings %v and notes %q, want none", plan.Findings, plan.Notes)
	}
	if length := demand.End.Sub(demand.Start); length < 23*time.Hour || length > 24*time.Hour {
		t.Errorf("got a trace of %s, want a day", length)
	}
	if size := file.Size(); size > 1_000_000 {
		t.Errorf("got %d bytes, want less than 1 MB", size)
	}
}

func TestTimes(t *testing.T) {
	tests := map[string]int{"*/10 * * * *": 144, "5 * * * *": 24, "30 2 * * *": 1, "0 */6 * * *": 4, "0 7,17 * * *": 2, "* * * * *": 1440}
	for schedule, want := range tests {
		if got := len(times(schedule)); got != want {
			t.Errorf("%s: got %d times a day, want %d", schedule, got, want)
		}
	}
	if got, want := times("30 */12 * * *"), []time.Duration{30 * time.Minute, 12*time.Hour + 30*time.Minute}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
