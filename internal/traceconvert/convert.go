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

// Options configure a conversion. The zero value converts everything that belongs to a workload.
type Options struct {
	// From is the format of the input. Default: it is detected.
	From Format
	// Name is the name of the input in errors. Default: its path.
	Name string
	// Start is the start of the trace. Default: the start of the recording, or DefaultStart if the
	// recording has no absolute times.
	Start time.Time
	// Config is the tracer configuration. Default: all kinds in the recording, except IgnoredKinds.
	Config *trace.Config
	// ExcludedNamespaces are left out; IncludedNamespaces leave out all other namespaces.
	// Cluster-scoped objects pass both. Default of the first, if it is nil: SystemNamespaces for a
	// recording of a cluster, none for manifests that were not recorded.
	ExcludedNamespaces, IncludedNamespaces []string
	// Owned also keeps objects whose owners are in the trace. Their controllers create them again in a
	// replay.
	Owned bool
	// Progress, if not nil, is called with the number of bytes read since the last call. A recording
	// is read twice.
	Progress func(n int)
}

// SystemNamespaces returns the namespaces of a cluster's own components.
func SystemNamespaces() []string { return []string{"kube-system", "kube-public", "kube-node-lease"} }

// DefaultStart is the start of a trace of a recording without absolute times, in unix seconds.
const DefaultStart = 946684800 // 2000-01-01T00:00:00Z

// Summary describes the output.
type Summary struct {
	// From is the format of the input.
	From Format
	// Start and End are the times of the first and the last event in unix seconds.
	Start, End int64
	// Timeless is true if the recording has no absolute times.
	Timeless                            bool
	Events                              int
	Applied, Deleted                    int64
	Indexed, Lifecycles, Nodes, Dropped int
	// LeftOutNamespaces and LeftOutKinds are the numbers of objects of a recording that the options,
	// or IgnoredKinds, left out.
	LeftOutNamespaces, LeftOutKinds map[string]int
	// Notes are messages for the user about anything unusual.
	Notes []string
}

// Convert converts a recording to a trace. The output appears under its path only when it is
// complete. The options other than From, Name and Progress apply to recordings; a trace is
// converted as it is. The error is an *Error with a position if the recording is invalid, or a
// *trace.FormatError if a trace is. If ctx is cancelled, Convert returns the cause.
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
		return Summary{}, fmt.Errorf("invalid format %q: must be %s, %s or %s", format, Trace, KWOK, SchedulerSimulator)
	}
	rec := newRecording(&opts)
	changes := func(yield func(*change) error) (err error) {
		in, err := openRecording(input)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, in.Close()) }()
		return walkFile(&progressReader{ctx, in, opts.Progress}, rec, yield)
	}
	create := func(config *trace.Config) (traceWriter, error) {
		return trace.Create(output, config, trace.WriterOptions{})
	}
	return convertRecording(ctx, changes, create, rec)
}

// walk iterates over the changes of a recording, from the first, each time it is called. A change
// is valid until the next.
type walk func(yield func(*change) error) error

// change is a change of an object in a recording.
type change struct {
	// at is the time in unix milliseconds, or in milliseconds since the first change if sinceFirst is
	// set. It has no meaning for an initial object.
	at int64
	// sinceFirst: at is relative to the first change. relative: the times in json are computed from
	// Options.Start.
	sinceFirst, relative bool
	// state: the object existed when the recording started.
	state bool
	// created: it did not exist before.
	created bool
	gvk     schema.GroupVersionKind
	// name is the namespaced name.
	name string
	// json is the new version of the object; nil if it was deleted.
	json []byte
	// where is the position in the recording.
	where string
}

// Error is an error in a recording.
type Error struct {
	// Name is the name of the recording.
	Name string
	// Where is the position in the recording, such as "line 12".
	Where string
	Err   error
}

// Error returns "a.yaml: line 12: ...".
func (e *Error) Error() string { return e.Name + ": " + e.Where + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// convertRecording creates a trace from changes.
func convertRecording(ctx context.Context, changes walk, create func(config *trace.Config) (traceWriter, error), rec *recording) (_ Summary, err error) {
	found, err := survey(changes, rec.Options)
	if err == nil && rec.scopes.revised {
		// Some objects came before the definition of their kind.
		found, err = survey(changes, rec.Options)
	}
	if err != nil {
		return Summary{}, err
	}
	if found.first == nil {
		return Summary{}, fmt.Errorf("%s: the recording is empty", rec.Name)
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
			return &Error{Name: rec.Name, Where: c.where, Err: err}
		}
		return nil
	}); err != nil {
		return Summary{}, err
	}
	summary, err := b.finish()
	summary.Notes = append(summary.Notes, rec.allNotes()...)
	summary.LeftOutNamespaces, summary.LeftOutKinds = found.leftOut()
	return summary, err
}

// progressReader reports the bytes read, and stops when its context is cancelled.
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
