package skel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"simkube.io/simkube/trace"
)

// RunOptions are what a run can be told. The zero value is useful.
type RunOptions struct {
	// Workers is how many goroutines work on events; 0: as many as there are processors.
	Workers int
	// Progress is called now and then with the number of events done, by one goroutine at a time.
	Progress func(events int)
	// OnChange is called for each object that is not as it was, in the order of the trace, by one goroutine at a time, as long as it returns true.
	OnChange func(*Change) bool
	// SpoolDir is where programs that move objects in time keep them meanwhile; empty for the system's default.
	SpoolDir string
}

// Change is what became of an object. It is valid until OnChange returns.
type Change struct {
	// Event is the number of the event, from 0 on, and Time when it was, in unix seconds.
	Event int
	Time  int64
	// Before is the object as it was; nil for one that was inserted.
	Before *trace.Object
	// After is what it became: nothing, one object, or several.
	After []ChangedObject
}

// ChangedObject is an object that another one became.
type ChangedObject struct {
	*trace.Object
	// Shift is by how many seconds it was moved.
	Shift int64
}

// Output takes what comes out of a run: a [trace.Writer] or a [trace.FileWriter].
type Output interface {
	WriteEvent(e *trace.Event) error
	Finish(tail *trace.Tail) error
}

// Run runs the program on a trace that has not been read from yet, and writes what comes out of it. create makes the output, once, with the options that
// save work for a [trace.FileWriter]; a [trace.Writer] to anything else has to be made with Events and Expected 0, as nobody knows yet whether there will be an
// extension. The output is finished when Run returns without an error, and is the caller's to give up otherwise. Errors are a [*RunError] where
// the program could not do something, and those of reading and writing.
func (p *Program) Run(ctx context.Context, in *trace.Reader, create func(*trace.Config, trace.WriterOptions) (Output, error), opts RunOptions) (*Summary, error) {
	if opts.Workers <= 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	first, err := in.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var start int64
	if err == nil {
		start = first.Time
	} else if first = nil; p.code.RelativeInsert() {
		return nil, errors.New("the trace has no events: there is no start that something could be inserted after")
	}
	r := &run{program: p, opts: opts, in: in, start: start, summary: p.newSummary(), ledger: newLedger(p.code.Traits())}
	if r.inserts, err = r.insertions(); err != nil {
		return nil, err
	}
	traits := p.code.Traits()
	write := trace.WriterOptions{Events: in.Len()}
	if traits.Drops || traits.Moves || traits.Inserts {
		write = trace.WriterOptions{Expected: in.Len()}
	}
	if r.out, err = create(r.config(), write); err != nil {
		return nil, err
	}
	if traits.Moves {
		r.sink = &movingSink{run: r, spools: map[int64]*spool{}}
	} else {
		r.sink = &directSink{run: r}
	}
	if err := r.events(ctx, first); err != nil {
		return nil, errors.Join(err, r.sink.close())
	}
	if err := errors.Join(r.sink.finish(ctx), r.sink.close()); err != nil {
		return nil, err
	}
	tail, err := in.Tail()
	if err != nil {
		return nil, err
	}
	if err := r.tail(tail); err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return r.summary, r.out.Finish(tail)
}

// RunFile runs the program on the trace in a file and writes the result to another one, which appears under its name only when it is complete and on
// disk. They may be the same.
func (p *Program) RunFile(ctx context.Context, input, output string, opts RunOptions) (_ *Summary, err error) {
	in, err := trace.Open(input)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	var out *trace.FileWriter
	create := func(config *trace.Config, write trace.WriterOptions) (Output, error) {
		var err error
		out, err = trace.Create(output, config, write)
		return out, err
	}
	summary, err := p.Run(ctx, &in.Reader, create, opts)
	if out != nil {
		err = errors.Join(err, out.Close())
	}
	var format *trace.FormatError
	if errors.As(err, &format) {
		err = fmt.Errorf("%s: %w", input, err)
	}
	return summary, err
}

// RunTrace runs the program on a trace in memory. in is left as it is; the result may share its memory.
func (p *Program) RunTrace(ctx context.Context, in *trace.Trace, opts RunOptions) (*trace.Trace, *Summary, error) {
	read, write := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := in.Write(write)
		written <- err
		_ = write.CloseWithError(err) // never fails
	}()
	out := &memoryOutput{}
	summary, err := func() (*Summary, error) {
		r, err := trace.NewReader(read)
		if err != nil {
			return nil, err
		}
		return p.Run(ctx, r, out.create, opts)
	}()
	_ = read.Close() // never fails
	if writeErr := <-written; err == nil && writeErr != nil {
		err = writeErr
	}
	if err != nil {
		return nil, nil, err
	}
	return &out.trace, summary, nil
}

// memoryOutput keeps a trace in memory.
type memoryOutput struct{ trace trace.Trace }

func (o *memoryOutput) create(config *trace.Config, _ trace.WriterOptions) (Output, error) {
	o.trace.Config = *config
	return o, nil
}

func (o *memoryOutput) WriteEvent(e *trace.Event) error {
	o.trace.Events = append(o.trace.Events, e.Clone())
	return nil
}

func (o *memoryOutput) Finish(tail *trace.Tail) error {
	o.trace.Index, o.trace.Lifecycles, o.trace.Extension = tail.Index, tail.Lifecycles, tail.Extension
	return nil
}

// run is one run of a program on a trace.
type run struct {
	program *Program
	opts    RunOptions
	in      *trace.Reader
	out     Output
	start   int64
	summary *Summary
	ledger  *ledger
	inserts []insertion
	sink    sink

	last   int64 // time of the last event that was read
	number int   // of the next event to be put in order
	// quiet: OnChange wants no more.
	quiet bool
}

// config gives the trace's config, with the kinds that are inserted.
func (r *run) config() *trace.Config {
	config := *r.in.Config()
	for _, i := range r.inserts {
		config = withKind(config, i.object.GVK())
	}
	return &config
}
