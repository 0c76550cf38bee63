package repetition

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"sync"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/report"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/skcluster"
)

// Options say what to repeat.
type Options struct {
	// Path is the sk-cluster to run, see skcluster.Find.
	Path string
	// Spec is what to simulate. Its output becomes a folder with one for each run; with a seed, run n gets the seed plus
	// n-1.
	Spec simulation.Spec
	// Count is how many runs are wanted.
	Count int
	// Parallel is how many may go at once; 0 for as many as there are cores and memory for.
	Parallel int
	// Kill, once closed, ends all runs without results. Nil: never.
	Kill <-chan struct{}
	// OnMessage is called with what runs tell: one at a time for each, but several runs at once. Nil for nobody.
	OnMessage func(number int, msg simulation.Message)
	// OnEnd is called when a run has ended, in the same way.
	OnEnd func(results.Repetition)

	// What tests put in the place of the real things.
	simulate func(context.Context, skcluster.Options) (*simulation.Done, error)
	memory   func() (int64, bool)
	cores    int
}

// CheckSeeds tells whether there are seeds for so many runs from this one on.
func CheckSeeds(seed uint64, runs int) error {
	if seed != 0 && runs > 1 && seed > math.MaxUint64-uint64(runs-1) {
		return fmt.Errorf("there are not %d seeds from %d on: the largest is %d", runs, seed, uint64(math.MaxUint64))
	}
	return nil
}

// Simulate runs the simulations and writes the folder of their results, unless there are none. A run that fails does not
// hold up the others, and is no error here: the answer says how each ended. When ctx ends, those that go are interrupted
// as skcluster.Simulate does it, and no more are started. No process and no goroutine is left on return.
//
// An error means that the folder could not be made, and nothing was run, or not be finished; what was run is
// told all the same then. It is a *MisplacedError when the results are somewhere else.
func Simulate(ctx context.Context, opts Options) (*results.Repetitions, error) {
	folder, err := results.NewRepetitionsFolder(opts.Spec.Output, opts.Count, opts.Spec.Overwrite)
	if err != nil {
		return nil, err
	}
	b := newBatch(opts, folder)
	b.plan().Run(ctx, b.run)
	r := b.conclude()
	if !r.HasResults() {
		return r, folder.Discard()
	}
	err = folder.Finish(r, report.RenderIndex)
	if err == nil {
		return r, nil
	}
	dir, rescueErr := folder.Rescue(os.TempDir(), r, report.RenderIndex)
	if rescueErr != nil {
		return r, errors.Join(err, rescueErr)
	}
	if len(b.misplaced) > 0 {
		err = b.misplaced[0]
	}
	return r, &MisplacedError{Dir: dir, Err: err}
}

// MisplacedError is returned when results could not be written where they were to go, and are
// somewhere else.
type MisplacedError struct {
	// Dir is where they are.
	Dir string
	Err error
}

func (e *MisplacedError) Error() string {
	return fmt.Sprintf("the results are in %s, as they could not be written where they were to go: %v", e.Dir, e.Err)
}

func (e *MisplacedError) Unwrap() error { return e.Err }

// batch is one call of Simulate.
type batch struct {
	opts   Options
	folder *results.RepetitionsFolder
	// Each run writes its own element of these.
	runs  []results.Repetition
	infos []results.RunInfo

	mu        sync.Mutex // guards misplaced, and what folder knows of it
	misplaced []error    // why runs have written somewhere else
}

func newBatch(opts Options, folder *results.RepetitionsFolder) *batch {
	if opts.simulate == nil {
		opts.simulate = skcluster.Simulate
	}
	if opts.memory == nil {
		opts.memory = MemoryAvailable
	}
	if opts.cores == 0 {
		opts.cores = runtime.GOMAXPROCS(0) // which knows the limits of a container
	}
	b := &batch{
		opts: opts, folder: folder,
		runs:  make([]results.Repetition, opts.Count),
		infos: make([]results.RunInfo, opts.Count),
	}
	for i := range b.runs {
		b.runs[i] = results.Repetition{Number: i + 1, Status: results.RunNotStarted}
		if opts.Spec.Seed != 0 {
			b.runs[i].Seed = opts.Spec.Seed + uint64(i)
		}
	}
	return b
}

func (b *batch) plan() Plan {
	return Plan{
		Count: b.opts.Count, Parallel: b.opts.Parallel,
		Cores: b.opts.cores, Memory: b.opts.memory,
		Estimate: EstimateMemory(b.opts.Spec.Nodes.Count),
	}
}

func (b *batch) run(ctx context.Context, job Job) Ended {
	run := &b.runs[job.Number-1]
	opts := skcluster.Options{
		Path:  b.opts.Path,
		Spec:  b.opts.Spec,
		Kill:  b.opts.Kill,
		Env:   environment(job.Share),
		OnEnd: func(u skcluster.Usage) { run.PeakMemoryBytes = u.PeakMemory },
	}
	opts.Spec.Output, opts.Spec.Overwrite, opts.Spec.Seed = b.folder.Run(job.Number), false, run.Seed
	if b.opts.OnMessage != nil {
		opts.OnMessage = func(msg simulation.Message) { b.opts.OnMessage(job.Number, msg) }
	}
	done, err := b.opts.simulate(ctx, opts)
	if err != nil {
		failed(run, err)
	} else {
		run.Status = results.RunFinished
		if done.Interrupted {
			run.Status = results.RunInterrupted
		}
		run.Folder = b.folder.Name(job.Number)
		if done.Misplaced != "" {
			b.elsewhere(job.Number, done)
		}
		run.Measures = results.MeasuresOf(&done.Summary)
		b.infos[job.Number-1] = done.Summary.Run
	}
	if b.opts.OnEnd != nil {
		b.opts.OnEnd(*run)
	}
	return Ended{PeakMemory: run.PeakMemoryBytes, Whole: run.Status == results.RunFinished}
}

// elsewhere notes that a run has not written its results where it should have.
func (b *batch) elsewhere(number int, done *simulation.Done) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.folder.Misplaced(number, done.Output)
	b.misplaced = append(b.misplaced, errors.New(done.Misplaced))
}

// environment has the Go runtime of a child keep to its share. A limit of memory that the user has set is left alone.
func environment(share Share) []string {
	var env []string
	if share.Cores > 0 {
		env = append(env, "GOMAXPROCS="+strconv.Itoa(share.Cores))
	}
	if share.Memory > 0 && os.Getenv("GOMEMLIMIT") == "" {
		env = append(env, "GOMEMLIMIT="+strconv.FormatInt(share.Memory, 10))
	}
	return env
}

// failed notes why a run has no results.
func failed(run *results.Repetition, err error) {
	var failure *skcluster.FailedError
	var crash *skcluster.CrashError
	switch {
	case errors.As(err, &failure) && failure.Interrupted, errors.Is(err, skcluster.ErrKilled):
		run.Status = results.RunInterrupted
		return
	case errors.As(err, &failure):
		run.Hint = failure.Hint
	case errors.As(err, &crash):
		run.Log = crash.Log
	}
	run.Status, run.Error = results.RunFailed, err.Error()
}

func (b *batch) conclude() *results.Repetitions {
	r := results.NewRepetitions(b.opts.Spec.Name, b.opts.Spec.TraceLabel(), 0)
	r.Runs = b.runs
	r.Conclude()
	r.Interrupted = r.Count(results.RunInterrupted)+r.Count(results.RunNotStarted) > 0
	for i, run := range b.runs {
		if run.Measures != nil {
			r.Describe(&b.infos[i])
		}
	}
	return r
}
