package repetition

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/skcluster"
)

// cluster plays sk-cluster: it writes results where it is told to, or does what do says instead.
type cluster struct {
	// do may be nil, and may return neither a Done nor an error to leave it to write.
	do func(ctx context.Context, number int) (*simulation.Done, error)

	mu    sync.Mutex // guards the rest
	kill  <-chan struct{}
	specs map[int]simulation.Spec
	envs  map[int][]string
}

func (c *cluster) simulate(ctx context.Context, opts skcluster.Options) (*simulation.Done, error) {
	number := int(filepath.Base(opts.Spec.Output)[len("run-0")] - '0')
	c.mu.Lock()
	if c.specs == nil {
		c.specs, c.envs = map[int]simulation.Spec{}, map[int][]string{}
	}
	c.specs[number], c.envs[number], c.kill = opts.Spec, opts.Env, opts.Kill
	c.mu.Unlock()
	defer opts.OnEnd(skcluster.Usage{PeakMemory: int64(number) * mib})
	if c.do != nil {
		if done, err := c.do(ctx, number); done != nil || err != nil {
			if done != nil {
				err = write(opts.Spec.Output)
			}
			return done, err
		}
	}
	if opts.OnMessage != nil {
		opts.OnMessage(simulation.Message{Note: &simulation.Note{Text: "here"}})
	}
	run := sample.Small()
	return &simulation.Done{Output: opts.Spec.Output, Summary: run.Summary}, write(opts.Spec.Output)
}

func write(dir string) error { return results.Write(dir, sample.Small(), results.WriteOptions{}) }

// options are for so many runs into a folder of the test's.
func options(t *testing.T, c *cluster, count int) Options {
	return Options{
		Spec:     simulation.Spec{Name: "small", Trace: "small.sktrace", Output: filepath.Join(t.TempDir(), "out")},
		Count:    count,
		simulate: c.simulate, memory: memory(24 * gib), cores: 2,
	}
}

// left are the names in the folder of results, none if there is no such folder, and fails if
// anything is beside it.
func left(t *testing.T, opts Options) []string {
	t.Helper()
	dir := opts.Spec.Output
	beside, err := filepath.Glob(filepath.Join(filepath.Dir(dir), ".*"))
	if err != nil || len(beside) > 0 {
		t.Errorf("left behind: %v (%v)", beside, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func statuses(r *results.Repetitions) []results.RepetitionStatus {
	var out []results.RepetitionStatus
	for _, run := range r.Runs {
		out = append(out, run.Status)
	}
	return out
}

func TestSimulate(t *testing.T) {
	var c cluster
	opts := options(t, &c, 3)
	opts.Spec.Seed = 40
	var mu sync.Mutex
	var told, ended []int
	opts.OnMessage = func(number int, _ simulation.Message) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, number)
	}
	opts.OnEnd = func(run results.Repetition) {
		mu.Lock()
		defer mu.Unlock()
		ended = append(ended, run.Number)
	}
	got, err := Simulate(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"index.html", "repetitions.json", "run-01", "run-02", "run-03"}, left(t, opts)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	read, err := results.ReadRepetitions(opts.Spec.Output)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, read); diff != "" {
		t.Errorf("the file says something else (-returned +read):\n%s", diff)
	}
	small := sample.Small().Summary
	want := &results.Repetitions{SchemaVersion: 1, Simulation: "small", Trace: small.Run.Trace, Versions: small.Run.Versions, Settings: small.Run.Settings}
	for n := 1; n <= 3; n++ {
		want.Runs = append(want.Runs, results.Repetition{
			Number: n, Seed: uint64(39 + n), Status: results.RunFinished, Folder: "run-0" + string(rune('0'+n)),
			Measures: results.MeasuresOf(&small), PeakMemoryBytes: int64(n) * mib,
		})
		if c.specs[n].Seed != uint64(39+n) {
			t.Errorf("run %d was given the seed %d, want %d", n, c.specs[n].Seed, 39+n)
		}
	}
	want.Across = results.Across(want.Runs)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("repetitions (-want +got):\n%s", diff)
	}
	for what, numbers := range map[string][]int{"told": told, "ended": ended} {
		slices.Sort(numbers)
		if diff := cmp.Diff([]int{1, 2, 3}, numbers); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if diff := cmp.Diff([]string{"GOMAXPROCS=1", "GOMEMLIMIT=12884901888"}, c.envs[1]); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

// A run by itself is given the machine as it is, and one without a seed is left to chance.
func TestSimulate_OneAtATime(t *testing.T) {
	var c cluster
	opts := options(t, &c, 2)
	opts.Parallel = 1
	if _, err := Simulate(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	if len(c.envs[1])+len(c.envs[2]) > 0 || c.specs[2].Seed != 0 {
		t.Errorf("environments %v, second seed %d, want none", c.envs, c.specs[2].Seed)
	}
}

func TestSimulate_SomeFail(t *testing.T) {
	c := cluster{do: func(_ context.Context, number int) (*simulation.Done, error) {
		switch number {
		case 1:
			return nil, &skcluster.FailedError{Failed: simulation.Failed{Error: "no luck", Hint: "try again"}}
		case 2:
			return nil, &skcluster.CrashError{Status: "exit status 2", Tail: []string{"panic"}, Log: "/tmp/log"}
		}
		return nil, nil
	}}
	opts := options(t, &c, 4)
	got, err := Simulate(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	want := []results.Repetition{
		{Number: 1, Status: results.RunFailed, Error: "no luck", Hint: "try again", PeakMemoryBytes: mib},
		{Number: 2, Status: results.RunFailed, Error: "the control plane ended unexpectedly (exit status 2)\n    panic", Log: "/tmp/log", PeakMemoryBytes: 2 * mib},
		{Number: 3, Status: results.RunFinished, Folder: "run-03", PeakMemoryBytes: 3 * mib},
		{Number: 4, Status: results.RunFinished, Folder: "run-04", PeakMemoryBytes: 4 * mib},
	}
	if diff := cmp.Diff(want, got.Runs, cmpopts.IgnoreFields(results.Repetition{}, "Measures")); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	if got.Interrupted || got.Trace.Events == 0 {
		t.Errorf("interrupted: %t, trace: %+v", got.Interrupted, got.Trace)
	}
	if diff := cmp.Diff([]string{"index.html", "repetitions.json", "run-03", "run-04"}, left(t, opts)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// Without results there is no folder, and one to be replaced stays.
func TestSimulate_AllFail(t *testing.T) {
	c := cluster{do: func(context.Context, int) (*simulation.Done, error) { return nil, errors.New("no") }}
	opts := options(t, &c, 2)
	opts.Spec.Overwrite = true
	if err := write(opts.Spec.Output); err != nil {
		t.Fatal(err)
	}
	before := left(t, opts)
	got, err := Simulate(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if got.Count(results.RunFailed) != 2 || got.Across != nil {
		t.Errorf("got %+v, want two runs that failed", got)
	}
	if diff := cmp.Diff(before, left(t, opts)); diff != "" {
		t.Errorf("files (-before +after):\n%s", diff)
	}
}

func TestSimulate_Overwrite(t *testing.T) {
	var c cluster
	opts := options(t, &c, 2)
	if err := write(opts.Spec.Output); err != nil {
		t.Fatal(err)
	}
	var exists *results.ExistsError
	if _, err := Simulate(t.Context(), opts); !errors.As(err, &exists) || len(c.specs) > 0 {
		t.Errorf("got %v after %d runs, want an ExistsError before any", err, len(c.specs))
	}
	opts.Spec.Overwrite = true
	if _, err := Simulate(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"index.html", "repetitions.json", "run-01", "run-02"}, left(t, opts)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// The first two go when the user interrupts: one has results by then, the other has none; two were
// to come.
func TestSimulate_Interrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first := make(chan struct{})
	c := cluster{do: func(ctx context.Context, number int) (*simulation.Done, error) {
		if number == 1 {
			close(first)
		} else {
			<-first
			cancel()
		}
		<-ctx.Done()
		if number == 2 {
			return nil, &skcluster.FailedError{Failed: simulation.Failed{Error: "interrupted", Interrupted: true}}
		}
		return &simulation.Done{Interrupted: true, Summary: sample.Small().Summary}, nil
	}}
	opts := options(t, &c, 4)
	got, err := Simulate(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	want := []results.RepetitionStatus{results.RunInterrupted, results.RunInterrupted, results.RunNotStarted, results.RunNotStarted}
	if diff := cmp.Diff(want, statuses(got)); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if !got.Interrupted || got.Across != nil || got.Runs[0].Folder == "" || got.Runs[1].Folder != "" {
		t.Errorf("got %+v, want that it was interrupted and that the first has results", got)
	}
	if diff := cmp.Diff([]string{"index.html", "repetitions.json", "run-01"}, left(t, opts)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestSimulate_Kill(t *testing.T) {
	kill := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := cluster{do: func(_ context.Context, number int) (*simulation.Done, error) {
		cancel()
		return nil, &skcluster.CrashError{Status: "signal: killed", Cause: skcluster.ErrKilled}
	}}
	opts := options(t, &c, 3)
	opts.Kill, opts.Parallel = kill, 1
	got, err := Simulate(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	want := []results.RepetitionStatus{results.RunInterrupted, results.RunNotStarted, results.RunNotStarted}
	if diff := cmp.Diff(want, statuses(got)); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if c.kill != opts.Kill {
		t.Error("the run did not get the channel that kills it")
	}
	if names := left(t, opts); names != nil {
		t.Errorf("there are no results, but %v", names)
	}
}

func TestEnvironment_UsersLimit(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "3GiB")
	if got := strings.Join(environment(Share{Cores: 2, Memory: gib}), " "); got != "GOMAXPROCS=2" {
		t.Errorf("got %q, want that the user's limit of memory stays", got)
	}
}

func TestCheckSeeds(t *testing.T) {
	for _, tc := range []struct {
		seed uint64
		runs int
		ok   bool
	}{
		{0, 1000, true},
		{math.MaxUint64, 1, true},
		{math.MaxUint64, 2, false},
		{math.MaxUint64 - 9, 10, true},
		{math.MaxUint64 - 9, 11, false},
	} {
		if err := CheckSeeds(tc.seed, tc.runs); (err == nil) != tc.ok {
			t.Errorf("%d runs from %d on: got %v", tc.runs, tc.seed, err)
		}
	}
}
