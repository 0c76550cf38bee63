package traceconvert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Options say what becomes of a recording. The zero value converts what makes up a workload.
type Options struct {
	// From is the format of the input; empty: it is detected.
	From Format
	// Name is what errors call the input; empty: its path.
	Name string
	// Start is when the trace begins. Zero: when the recording did, and where it has no times that tell, at DefaultStart.
	Start time.Time
	// Config says which kinds are recorded, and how. Nil: all that a recording has, but for those of IgnoredKinds.
	Config *trace.Config
	// ExcludedNamespaces are left out; IncludedNamespaces leave out all others. What is in no namespace passes both.
	ExcludedNamespaces, IncludedNamespaces []string
	// Owned keeps also objects whose owners are in the trace, which make them again when it is replayed.
	Owned bool
	// Progress is told of bytes that were read. A recording is read twice. Nil: nobody is told.
	Progress func(n int)
}

// DefaultStart is when a trace begins of a recording that does not say when it was made, in unix seconds.
const DefaultStart = 946684800 // 2000-01-01T00:00:00Z

// Summary is what was made.
type Summary struct {
	// From is the format that was converted.
	From Format
	// Start and End are the times of the first and the last event in unix seconds.
	Start, End int64
	// Timeless says that the recording did not tell when it was made.
	Timeless                            bool
	Events                              int
	Applied, Deleted                    int64
	Indexed, Lifecycles, Nodes, Dropped int
	// Notes are for the user: what was odd.
	Notes []string
}

// Convert makes a trace of a recording. The output appears under its path only when it is whole. The options but From, Name and
// Progress are for recordings: a trace is converted as it is. It fails with an *Error that says where for what cannot be
// understood, with a *trace.FormatError for a trace, and with the cause of ctx when that ends.
func Convert(ctx context.Context, input, output string, opts Options) (Summary, error) {
	if opts.Name == "" {
		opts.Name = input
	}
	if opts.Progress == nil {
		opts.Progress = func(int) {}
	}
	format := opts.From
	if format == "" {
		var err error
		if format, err = Detect(input); err != nil {
			return Summary{}, fmt.Errorf("%s: %w", opts.Name, err)
		}
	}
	summary, err := convert(ctx, format, input, output, opts)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	summary.From = format
	return summary, err
}

func convert(ctx context.Context, format Format, input, output string, opts Options) (Summary, error) {
	walkFile := walkKWOK
	switch format {
	case Trace:
		return rewrite(ctx, input, output, opts)
	case KWOK:
	case SchedulerSimulator:
		walkFile = walkSimulator
	default:
		return Summary{}, fmt.Errorf("format %q: accepted are %s, %s and %s", format, Trace, KWOK, SchedulerSimulator)
	}
	changes := func(yield func(*change) error) (err error) {
		in, err := openRecording(input)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, in.Close()) }()
		return walkFile(&progressReader{ctx, in, opts.Progress}, &opts, yield)
	}
	create := func(config *trace.Config) (traceWriter, error) {
		return trace.Create(output, config, trace.WriterOptions{})
	}
	return convertRecording(ctx, changes, create, &opts)
}

// walk gives the changes of a recording in order, from the first, every time it is called. A change is valid until the next.
type walk func(yield func(*change) error) error

// change is what a recording says happened to an object.
type change struct {
	// at is when, in unix milliseconds, or since the first change where that is what is recorded. It says nothing of a state.
	at int64
	// sinceFirst: at is since the first change. relative: the times in json are made up from Options.Start.
	sinceFirst, relative bool
	// state: the object existed when the recording began.
	state bool
	// created: it did not exist before.
	created bool
	gvk     schema.GroupVersionKind
	// name is the namespaced name.
	name string
	// json is the object as it is now; nil: it was deleted.
	json []byte
	// where says where in the recording that stands.
	where string
}

// Error says what is wrong with a recording.
type Error struct {
	// Name is what the recording is called.
	Name string
	// Where in it the problem is, like "line 12".
	Where string
	Err   error
}

// Error gives "a.yaml: line 12: ...".
func (e *Error) Error() string { return e.Name + ": " + e.Where + ": " + e.Err.Error() }

// Unwrap gives what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// convertRecording makes a trace of changes.
func convertRecording(ctx context.Context, changes walk, create func(config *trace.Config) (traceWriter, error), opts *Options) (_ Summary, err error) {
	found, err := survey(changes, opts)
	if err != nil {
		return Summary{}, err
	}
	if found.first == nil {
		return Summary{}, fmt.Errorf("%s: there is nothing in it", opts.Name)
	}
	b, err := newBuilder(found, create)
	if err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, b.writer.Close()) }()
	if err := changes(func(c *change) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := b.add(c); err != nil {
			return &Error{Name: opts.Name, Where: c.where, Err: err}
		}
		return nil
	}); err != nil {
		return Summary{}, err
	}
	return b.finish()
}

// progressReader tells how much is read, and reads until its context ends.
type progressReader struct {
	ctx  context.Context
	r    io.Reader
	read func(n int)
}

func (r *progressReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	n, err := r.r.Read(p)
	r.read(n)
	return n, err
}
