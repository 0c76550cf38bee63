package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// chance runs testdata/chance, which sleeps for more than an hour.
type chance struct{ binary string }

// runTimeout bounds a run: the clock has to jump, but how far is not measured.
const runTimeout = 5 * time.Minute

func buildChance(t *testing.T) chance {
	t.Helper()
	return chance{build(t, t.TempDir(), "./testdata/chance")}
}

// run returns what the program prints, including times.
func (c chance) run(t *testing.T, env ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.binary)
	cmd.Env = env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run with %v: %v\n%s", env, err, &stderr)
	}
	return out
}

// difference returns the first line in which two outputs differ, or nothing.
func difference(a, b []byte) string {
	as, bs := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(as), len(bs)) {
		if !bytes.Equal(as[i], bs[i]) {
			return fmt.Sprintf("line %d of %d and %d:\n%q\n%q", i, len(as), len(bs), as[i], bs[i])
		}
	}
	if len(as) != len(bs) {
		return fmt.Sprintf("%d and %d lines", len(as), len(bs))
	}
	return ""
}

// TestFiles_LeaveNothingToChance compiles a program with the overlay and checks that with a seed it
// does the same things in the same order, whatever garbage collection does, and that without one it
// doesn't.
func TestFiles_LeaveNothingToChance(t *testing.T) {
	c := buildChance(t)
	seeded := func(seed, collector string) []byte {
		return c.run(t, "SIMKUBE_SEED="+seed, "GOGC="+collector, "GOMAXPROCS=1")
	}
	want := seeded("7", "100")
	if len(bytes.Split(want, []byte("\n"))) < 1000 {
		t.Fatalf("the program said little:\n%s", want)
	}
	t.Run("same seed", func(t *testing.T) {
		for _, collector := range []string{"off", "20", "100", "400"} {
			for range 3 {
				if d := difference(want, seeded("7", collector)); d != "" {
					t.Errorf("GOGC=%s: another output, %s", collector, d)
				}
			}
		}
	})
	t.Run("other seed", func(t *testing.T) {
		if difference(want, seeded("8", "100")) == "" {
			t.Error("seeds 7 and 8 print the same")
		}
	})
	t.Run("no seed", func(t *testing.T) {
		first, same := c.run(t), true
		for range 2 {
			same = difference(first, c.run(t)) == "" && same
		}
		if same {
			t.Error("three runs without a seed print the same")
		}
	})
}
