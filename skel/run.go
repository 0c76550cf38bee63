package skel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"simkube.io/simkube/trace"
)

// RunOptions are the options of a run. The zero value is useful.
type RunOptions struct {
	// Workers is the number of goroutines that transform events. Default: the number of processors.
	Workers int
	// Progress is called occasionally with the number of processed events. Calls are not concurrent.
	Progress func(events int)
	// OnChange is called for each changed object, in the order of the trace, as long as it returns
	// true. Calls are not concurrent.
	OnChange func(*Change) bool
	// SpoolDir is the directory for temporary files of programs that move objects in time. Default:
	// the system's default.
	SpoolDir string
}

// Change is the change of an object. It is valid until OnChange returns.
type Change struct {
	// Event is the index of the event, and Time its time in unix seconds.
	Event int
	Time  int64
	// Before is the original object; nil if it was inserted.
	Before *trace.Object
	// After is the result: no object, one, or several.
	After []ChangedObject
}

// ChangedObject is an object that results from another one.
type ChangedObject struct {
	*trace.Object
	// Shift is the number of seconds by which it was moved.
	Shift int64
}

// Output receives the output of a run: a [trace.Writer] or a [trace.FileWriter].
type Output interface {
	WriteEvent(e *trace.Event) error
	Finish(tail *trace.Tail) error
}

// Run runs the program on a trace from which nothing has been read yet, and writes the result. It
// calls create once to create the output, with options that avoid work for a [trace.FileWriter]. A
// [trace.Writer] to anything else must be created with Events and Expected 0, because it is not
// known yet whether there will be an extension. If Run returns without an error, the output is
// finished; otherwise the caller must close it. The error is a [*RunError] if the program cannot be
// applied to an object, or an error of reading or writing.
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
		return nil, errors.New("the trace has no events, so a time after its start cannot be inserted at")
	}
	r := &run{program: p, opts: opts, in: in, start: start, summary: p.newSummary(), history: newObjectHistory(p.code.Traits())}
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

// RunFile runs the program on the trace in a file and writes the result to another file, which
// appears under its name only when it is complete and synced. Both may be the same file.
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

// RunTrace runs the program on a trace in memory. in is not modified; the result may share its
// memory.
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

// memoryOutput collects a trace in memory.
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
	history *objectHistory
	inserts []insertion
	sink    sink

	last   int64 // time of the last event that was read
	number int   // index of the next event in order
	// changesDone: OnChange returned false.
	changesDone bool
}

// config returns the trace's config, including the kinds of inserted objects.
func (r *run) config() *trace.Config {
	config := *r.in.Config()
	for _, i := range r.inserts {
		config = withKind(config, i.object.GVK())
	}
	return &config
}
