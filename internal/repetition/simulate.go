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

// Options are what to repeat, and how.
type Options struct {
	// Path is the path of sk-cluster, see skcluster.Find.
	Path string
	// Spec is what to simulate. Its output becomes a folder with a folder for each run. If it has a
	// seed, run n gets the seed plus n-1.
	Spec simulation.Spec
	// Count is the number of runs.
	Count int
	// Parallel is the maximum number of runs at once; 0 to decide by cores and memory.
	Parallel int
	// Kill, when closed, ends all runs without results. It may be nil.
	Kill <-chan struct{}
	// OnMessage, if not nil, is called with the messages of runs: one at a time for each run, but for
	// several runs at once.
	OnMessage func(number int, msg simulation.Message)
	// OnEnd, if not nil, is called when a run has ended, in the same way.
	OnEnd func(results.Repetition)

	// Replaced by tests.
	simulate func(context.Context, skcluster.Options) (*simulation.Done, error)
	memory   func() (int64, bool)
	cores    int
}

// CheckSeeds returns an error if there are not enough seeds for the runs, from seed on.
func CheckSeeds(seed uint64, runs int) error {
	if seed != 0 && runs > 1 && seed > math.MaxUint64-uint64(runs-1) {
		return fmt.Errorf("there are not %d seeds from %d on: the largest is %d", runs, seed, uint64(math.MaxUint64))
	}
	return nil
}

// Simulate runs the simulations and writes the folder of their results, unless there are none. A
// run that fails does not stop the others, and is not an error: the result says how each ended.
// When ctx ends, running simulations are interrupted as by skcluster.Simulate, and no more are
// started. No process and no goroutine is left when Simulate returns.
//
// An error means that the folder could not be made, and nothing was run; or that it could not be
// finished, and then the result is not nil. It is a *MisplacedError if the results are somewhere
// else.
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

// MisplacedError is returned if results could not be written to the output folder, and are
// somewhere else.
type MisplacedError struct {
	// Dir is the folder with the results.
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

// elsewhere records that a run has written its results to another folder.
func (b *batch) elsewhere(number int, done *simulation.Done) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.folder.Misplaced(number, done.Output)
	b.misplaced = append(b.misplaced, errors.New(done.Misplaced))
}

// environment limits the Go runtime of a child to its share. A memory limit set by the user is
// kept.
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

// failed records why a run has no results.
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
