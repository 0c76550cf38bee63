package timeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"

	"simkube.io/simkube/trace"
)

// Options are the options of [Open]. The zero value is valid.
type Options struct {
	// CacheBytes is about how much memory is used for the most recently read events; 0 means 16 MB.
	CacheBytes int64
}

// Progress is the progress of indexing.
type Progress struct {
	// Events is the number of indexed events, Total the number that the file declares.
	Events, Total int
	// Bytes is the number of bytes read, Size the size of the file.
	Bytes, Size int64
	// Done is whether indexing has ended, at the end of the trace or with an error.
	Done bool
	// Err is why the rest of the trace cannot be read, or why indexing was stopped; nil if there is no
	// error. An error of the format is a *trace.FormatError.
	Err error
}

// File is a trace file that is being indexed. Its methods may be called from any goroutine.
type File struct {
	path    string
	file    *os.File
	size    int64
	version int
	cache   cache

	cancel context.CancelFunc
	// done is closed when indexing has ended.
	done    chan struct{}
	changed chan struct{}

	// mu guards the fields below, which are written by the indexing goroutine.
	mu       sync.RWMutex
	index    index
	progress Progress
	config   *trace.Config
	tail     *trace.Tail
	// growth is closed, and replaced, when the index has grown.
	growth chan struct{}
}

// Open opens a trace file and reads up to its first event. The rest is indexed in the background
// until ctx ends or the File is closed. Errors name the file.
func Open(ctx context.Context, path string, opts Options) (*File, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the trace: %w", err)
	}
	f, err := start(ctx, file, path, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return f, nil
}

func start(ctx context.Context, file *os.File, path string, opts Options) (*File, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file: save the trace to a file on disk")
	}
	reader, err := trace.NewReader(file)
	if err != nil {
		return nil, err
	}
	f := &File{
		path:    path,
		file:    file,
		size:    info.Size(),
		version: reader.Version(),
		cache:   newCache(opts.CacheBytes),
		done:    make(chan struct{}),
		changed: make(chan struct{}, 1),
		index:   newIndex(reader.Offset()),
		config:  cloneConfig(reader.Config()),
		growth:  make(chan struct{}),
	}
	f.progress = Progress{Total: reader.Len(), Bytes: reader.Offset(), Size: f.size}
	ctx, f.cancel = context.WithCancel(ctx)
	go func() {
		defer close(f.done)
		f.finish(f.build(ctx, reader), reader)
	}()
	return f, nil
}

// cloneConfig copies the config of a Reader, which the Reader may still change.
func cloneConfig(c *trace.Config) *trace.Config {
	return &trace.Config{TrackedObjects: maps.Clone(c.TrackedObjects)}
}

// Close stops indexing, waits until it has ended, and closes the file. Values that were read from
// the file stay valid.
func (f *File) Close() error {
	f.cancel()
	<-f.done
	return f.file.Close()
}

// Progress returns the progress of indexing.
func (f *File) Progress() Progress {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.progress
}

// Changed returns a channel on which a value is sent after the index has grown, at most some
// hundred times a second, and when it is done. The channel holds one value; further ones are
// dropped until it is received. It is never closed.
func (f *File) Changed() <-chan struct{} { return f.changed }

// Wait waits until the index is done, and returns its [Progress.Err], or until ctx ends.
func (f *File) Wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.Progress().Err
	case <-ctx.Done():
		return fmt.Errorf("wait for the index of %s: %w", f.path, ctx.Err())
	}
}

// Path returns the path that the file was opened with.
func (f *File) Path() string { return f.path }

// Version returns the version of the trace's format, 1 or 2.
func (f *File) Version() int { return f.version }

// Config returns the configuration of the tracer that made the trace. It must not be changed. If
// the file has its config after the events, which no known writer does, it is empty until the index
// is done.
func (f *File) Config() *trace.Config {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.config
}

// Tail returns what follows the events in the file. ok is false until the index is done, and if the
// trace is incomplete. The tail must not be changed.
func (f *File) Tail() (tail *trace.Tail, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.tail, f.tail != nil
}

// Len returns the number of indexed events.
func (f *File) Len() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.index.events.len()
}

// grown waits until more than that many events are indexed, or the index is done.
func (f *File) grown(ctx context.Context, events int) error {
	for {
		f.mu.RLock()
		enough, growth := f.progress.Events > events || f.progress.Done, f.growth
		f.mu.RUnlock()
		if enough {
			return nil
		}
		select {
		case <-growth:
		case <-ctx.Done():
			return fmt.Errorf("wait for the index of %s: %w", f.path, ctx.Err())
		}
	}
}
