package skcluster

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"simkube.io/simkube/internal/simulation"
)

func TestPadded(t *testing.T) {
	spec := simulation.Spec{Seed: 1, Time: simulation.Virtual, Trace: "a.sktrace", Output: "/tmp/out", CRDs: []string{"/x/y.yaml"}}
	got, paths := padPaths(spec)
	for _, path := range []string{got.Trace, got.Output, got.CRDs[0]} {
		if len(path) != pathLength {
			t.Errorf("got a path of %d bytes, want %d: %s", len(path), pathLength, path)
		}
	}
	if got.SchedulerConfig != "" {
		t.Errorf("no path: got %q", got.SchedulerConfig)
	}
	if filepath.Clean(got.Output) != spec.Output || spec.CRDs[0] != "/x/y.yaml" {
		t.Errorf("got %q and %q", filepath.Clean(got.Output), spec.CRDs[0])
	}
	msg := simulation.Message{Failed: &simulation.Failed{Error: "open " + got.Trace + ": no such file"}}
	unpadPaths(&msg, paths)
	if want := "open a.sktrace: no such file"; msg.Failed.Error != want {
		t.Errorf("got %q, want %q", msg.Failed.Error, want)
	}
	long := "/" + strings.Repeat("x", pathLength)
	if got, _ := padPaths(simulation.Spec{Seed: 1, Time: simulation.Virtual, Trace: long}); got.Trace != long {
		t.Error("a long path was changed")
	}
	for _, spec := range []simulation.Spec{{Trace: "a", Time: simulation.Virtual}, {Trace: "a", Seed: 1, Time: simulation.Real}} {
		if got, _ := padPaths(spec); got.Trace != "a" {
			t.Errorf("without a seed in virtual time: got %q", got.Trace)
		}
	}
}

func TestEnvironment(t *testing.T) {
	opts := Options{
		Spec: simulation.Spec{Seed: 7, Time: simulation.Virtual},
		Env:  []string{"GOMAXPROCS=4", "GOMEMLIMIT=1048576", "GOGC=50"},
	}
	want := "GOGC=50 SIMKUBE_SEED=7 GOMAXPROCS=1 GOMEMLIMIT=0000000000001048576"
	if got := strings.Join(environment(opts), " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	opts.Env = nil
	want = "SIMKUBE_SEED=7 GOMAXPROCS=1 GOMEMLIMIT=9223372036854775807"
	if got := strings.Join(environment(opts), " "); got != want {
		t.Errorf("without further variables: got %s, want %s", got, want)
	}
	t.Setenv("TZ", "Europe/Paris")
	t.Setenv("GOMEMLIMIT", "4GiB")
	want = "TZ=Europe/Paris SIMKUBE_SEED=7 GOMAXPROCS=1 GOMEMLIMIT=4GiB"
	if got := strings.Join(environment(opts), " "); got != want {
		t.Errorf("with the user's variables: got %s, want %s", got, want)
	}
	opts.Spec.Seed = 0
	t.Setenv("SOME_VARIABLE", "1")
	t.Setenv(simulation.SeedVariable, "9")
	if got := environment(opts); !slices.Contains(got, "SOME_VARIABLE=1") || slices.Contains(got, simulation.SeedVariable+"=9") {
		t.Errorf("without a seed: got %v, want this process's, without a seed", got)
	}
}
