package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/labels"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// Source is the log to export, which must not change meanwhile. Its methods are those of
// [log.Snapshot].
type Source interface {
	// Begin and Time bound the time that the source covers, in unix milliseconds.
	Begin() int64
	Time() int64
	StateAt(ms int64) iter.Seq2[*log.Record, error]
	Changes(from, to int64) iter.Seq2[*log.Record, error]
	Before(key log.Key, seq log.Seq) (*log.Record, error)
	At(key log.Key, ms int64) (*log.Record, error)
	Pods(from, to int64) iter.Seq2[*log.Pod, error]
	Nodes(from, to int64) iter.Seq2[*log.Node, error]
	Gaps(from, to int64) iter.Seq2[*log.Gap, error]
}

var _ Source = (*log.Snapshot)(nil)

// Request describes the trace.
type Request struct {
	// Start and End bound the window [Start, End), in unix seconds.
	Start, End int64
	Filters    Filters
}

// Filters select objects. An object is in the trace if no exclusion matches it and every inclusion
// list that is not empty does.
type Filters struct {
	// ExcludedNamespaces excludes the objects of these namespaces, and the Namespace objects with
	// these names; IncludedNamespaces excludes all others in the same way. Objects without a namespace
	// pass both.
	ExcludedNamespaces, IncludedNamespaces []string
	// ExcludedLabels excludes objects that any of them matches, IncludedLabels those that none of them
	// matches.
	ExcludedLabels, IncludedLabels []labels.Selector
}

// HasNamespaces reports whether the filters leave out namespaces.
func (f *Filters) HasNamespaces() bool {
	return len(f.ExcludedNamespaces)+len(f.IncludedNamespaces) > 0
}

// Options are the options that all exports share.
type Options struct {
	// Config is the tracer's configuration. Objects of other kinds are not exported. It is written to
	// the trace.
	Config *trace.Config
	// Extension adds x-simkube to the trace.
	Extension bool
	// Unsure is the time, in unix milliseconds, since when changes may be missing that may still
	// arrive, or 0.
	Unsure int64
	// SpoolDir is the directory of temporary files, which are in a directory of their own in it. Empty
	// means the system's default.
	SpoolDir string
	// Progress, unless nil, is called from time to time and at the end.
	Progress func(Progress)

	// memory and cached override, in tests, how many bytes stay in memory and how many objects are
	// cached.
	memory, cached int
}

// Progress is the progress of an export.
type Progress struct {
	// Reached is the time up to which the log has been read, in unix milliseconds.
	Reached         int64
	Events, Objects int64
}

// Summary describes a trace.
type Summary struct {
	// Start is the time of the first event, End the end of the window, in unix seconds.
	Start, End int64
	// Shortened reports that Start is later than requested, because the log does not go back further.
	Shortened bool
	Events    int64
	// Applied and Deleted are the numbers of objects in the events, Indexed that of distinct objects.
	Applied, Deleted, Indexed int64
	Lifecycles                int64
	// Gaps are the times in the window for which changes may be missing.
	Gaps int64
	// LeftOut is, for each namespace that the filters left out, how many objects in it existed in the
	// window, without those that others own.
	LeftOut map[string]int64
}

// WindowError is returned if the log has nothing of a window. Times are in unix seconds.
type WindowError struct {
	// Start and End are the requested window.
	Start, End int64
	// Begin and Now bound the log.
	Begin, Now int64
	reason     string
}

// Error implements error.
func (e *WindowError) Error() string {
	return fmt.Sprintf("the window from %d to %d %s; the log has %d to %d", e.Start, e.End, e.reason, e.Begin, e.Now)
}

// leftovers matches the directories for temporary files of exports.
const leftovers = "sk-export-*"

// MakeSpool creates a directory for the temporary files of an export in a spool directory.
// RemoveLeftovers removes it if the export does not.
func MakeSpool(spoolDir string) (string, error) {
	dir, err := os.MkdirTemp(spoolDir, leftovers)
	if err != nil {
		return "", fmt.Errorf("make a directory for temporary files: %w", err)
	}
	return dir, nil
}

// RemoveLeftovers removes the temporary files of killed exports from a spool directory. No export
// may be running in it.
func RemoveLeftovers(spoolDir string) error {
	if spoolDir == "" {
		spoolDir = os.TempDir()
	}
	found, err := filepath.Glob(filepath.Join(spoolDir, leftovers))
	for _, dir := range found {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		return fmt.Errorf("remove what killed exports left behind: %w", err)
	}
	return nil
}

// Run exports a trace to w. It returns a *WindowError if the log has nothing of the window, the
// cause of ctx if that ends, and the error of the source, of a temporary file or of w. It writes
// nothing to w before it has read all it needs from the source; after an error, what was written is
// not a trace. It removes its temporary files.
func Run(ctx context.Context, source Source, request Request, w io.Writer, opts Options) (_ Summary, err error) {
	begin, now := source.Begin(), source.Time()
	window := func(reason string) error {
		return &WindowError{Start: request.Start, End: request.End, Begin: seconds(begin), Now: seconds(now), reason: reason}
	}
	switch {
	case request.End <= request.Start:
		return Summary{}, window("is empty")
	case request.End*1000 <= begin:
		return Summary{}, window("ends before the log begins")
	case request.Start*1000 > now:
		return Summary{}, window("begins in the future")
	}
	dir, err := MakeSpool(opts.SpoolDir)
	if err != nil {
		return Summary{}, err
	}
	defer func() {
		if removeErr := os.RemoveAll(dir); removeErr != nil {
			err = errors.Join(err, fmt.Errorf("remove temporary files: %w", removeErr))
		}
	}()
	if opts.memory == 0 {
		opts.memory = defaultMemory
	}
	if opts.cached == 0 {
		opts.cached = defaultCached
	}
	e := exporter{
		ctx:     ctx,
		source:  source,
		opts:    opts,
		dir:     dir,
		from:    max(request.Start*1000, begin),
		to:      request.End * 1000,
		decider: newDecider(source, &request, &opts),
		index:   newTable(dir, opts.memory),
		leftOut: newTable(dir, opts.memory),
		batch:   newBatch(dir, opts.memory),
	}
	e.summary = Summary{Start: seconds(e.from), End: request.End, Shortened: e.from > request.Start*1000}
	if err := errors.Join(e.run(w), e.close()); err != nil {
		return Summary{}, err
	}
	return e.summary, nil
}

// defaultMemory is how many bytes of an event, or of a table, stay in memory.
const defaultMemory = 8 << 20

// defaultCached is the minimum number of cached objects of each sort.
const defaultCached = 1 << 15

// seconds returns the second of a time in milliseconds.
func seconds(ms int64) int64 {
	s := ms / 1000
	if ms%1000 < 0 {
		s--
	}
	return s
}
