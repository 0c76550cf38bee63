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

// Source is what is exported from: a log that does not change meanwhile. Its methods are those of [log.Snapshot].
type Source interface {
	// Begin is the time in unix milliseconds that the source reaches back to, Time the one it reaches to.
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

// Request says what is wanted.
type Request struct {
	// Start and End bound the window [Start, End), in unix seconds.
	Start, End int64
	Filters    Filters
}

// Filters leave objects out. An object is in the trace when nothing excludes it and the lists that include, where they are not empty, have it.
type Filters struct {
	// ExcludedNamespaces are left out, with the Namespace objects of these names; IncludedNamespaces leave out all others in the same way. What is in
	// no namespace passes both.
	ExcludedNamespaces, IncludedNamespaces []string
	// ExcludedLabels leave out what any of them matches, IncludedLabels what none of them matches.
	ExcludedLabels, IncludedLabels []labels.Selector
}

// Options are what does not change from one export to the next.
type Options struct {
	// Config is the tracer's. Objects of kinds it does not have are left out. It is written into the trace.
	Config *trace.Config
	// Extension has x-simkube written.
	Extension bool
	// Unsure is since when changes may be missing that may still come, in unix milliseconds; 0:
	// none are.
	Unsure int64
	// SpoolDir is where temporary files go, in a directory of their own; empty: the system's default.
	SpoolDir string
	// Progress is told now and then how far it is, and at the end. Nil: nobody is.
	Progress func(Progress)

	// memory and cached replace, in tests, how many bytes of a thing stay in memory and how many objects are remembered.
	memory, cached int
}

// Progress is how far an export is.
type Progress struct {
	// Reached is the time in unix milliseconds that the log has been read to.
	Reached         int64
	Events, Objects int64
}

// Summary is what a trace has in it.
type Summary struct {
	// Start is the time of the first event, End the end of the window, in unix seconds.
	Start, End int64
	// Shortened says that Start is later than was asked for, since the log does not reach back further.
	Shortened bool
	Events    int64
	// Applied and Deleted are the numbers of objects in the events; Indexed is that of different ones.
	Applied, Deleted, Indexed int64
	Lifecycles                int64
	// Gaps are the times in the window of which changes may be missing.
	Gaps int64
}

// WindowError says that the log has nothing of a window. Times are in unix seconds.
type WindowError struct {
	// Start and End were asked for.
	Start, End int64
	// Begin and Now are what the log reaches from and to.
	Begin, Now int64
	reason     string
}

// Error tells what is wrong with the window.
func (e *WindowError) Error() string {
	return fmt.Sprintf("the window from %d to %d %s; the log has %d to %d", e.Start, e.End, e.reason, e.Begin, e.Now)
}

// leftovers matches the directories that exports keep their temporary files in.
const leftovers = "sk-export-*"

// MakeSpool makes a directory for temporary files of an export in a spool directory, which is among what RemoveLeftovers removes.
func MakeSpool(spoolDir string) (string, error) {
	dir, err := os.MkdirTemp(spoolDir, leftovers)
	if err != nil {
		return "", fmt.Errorf("make a directory for temporary files: %w", err)
	}
	return dir, nil
}

// RemoveLeftovers removes what exports that were killed left in a spool directory. None may be under way in it.
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

// Run exports a trace to w. It fails with a *WindowError if the log has nothing of the window, with the cause of ctx when that ends, and with the error of
// the source, of a temporary file or of w. Before it has read all it needs from the source, it writes nothing to w; afterwards, what an error
// leaves there is not a trace. Nothing else is left behind.
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
		batch:   newBatch(dir, opts.memory),
	}
	e.summary = Summary{Start: seconds(e.from), End: request.End, Shortened: e.from > request.Start*1000}
	if err := errors.Join(e.run(w), e.close()); err != nil {
		return Summary{}, err
	}
	return e.summary, nil
}

// defaultMemory is how many bytes of an event, or of what is sorted, stay in memory.
const defaultMemory = 8 << 20

// defaultCached is how many objects are remembered at least of each sort.
const defaultCached = 1 << 15

// seconds gives the second a time in milliseconds is in.
func seconds(ms int64) int64 {
	s := ms / 1000
	if ms%1000 < 0 {
		s--
	}
	return s
}
