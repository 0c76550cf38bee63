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

// Options are what can be said about a File. The zero value is useful.
type Options struct {
	// CacheBytes is about how much memory is used for the events that were read last; 0 stands for 16 MB.
	CacheBytes int64
}

// Progress is how far the index is.
type Progress struct {
	// Events are indexed, of the Total that the file says it has.
	Events, Total int
	// Bytes are read, of the Size of the file.
	Bytes, Size int64
	// Done says that the index will not grow any more: the trace is read to its end, or cannot be.
	Done bool
	// Err says why the rest of the trace cannot be read, or why reading it was given up; nil while all is well. What is wrong with
	// the format is a *trace.FormatError.
	Err error
}

// File is a trace file that is looked around in. Its methods may be called from any goroutine.
type File struct {
	path    string
	file    *os.File
	size    int64
	version int
	cache   cache

	cancel context.CancelFunc
	// done is closed when the indexing has ended.
	done    chan struct{}
	changed chan struct{}

	// mu guards what is below, which the indexing writes.
	mu       sync.RWMutex
	index    index
	progress Progress
	config   *trace.Config
	tail     *trace.Tail
	// growth is closed, and another one made, when the index has grown by some more.
	growth chan struct{}
}

// Open opens a trace file and reads up to its first event. The rest is indexed in the background until ctx ends or the
// File is closed. Errors name the file.
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
		return nil, errors.New("want a file on disk, which can be read from the middle: save the trace to one")
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

// cloneConfig copies a Reader's config, which the Reader may yet change.
func cloneConfig(c *trace.Config) *trace.Config {
	return &trace.Config{TrackedObjects: maps.Clone(c.TrackedObjects)}
}

// Close ends the indexing, waits for its end, and closes the file. What was read of the file stays valid.
func (f *File) Close() error {
	f.cancel()
	<-f.done
	return f.file.Close()
}

// Progress tells how far the index is.
func (f *File) Progress() Progress {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.progress
}

// Changed gives something to receive after the index has grown by some more, some hundred times a second at most, and when it
// is done. It has room for one: who looks at it rarely misses only that it changed more often. It is never closed.
func (f *File) Changed() <-chan struct{} { return f.changed }

// Wait waits until the index is done and gives the error of its [Progress], or until ctx ends.
func (f *File) Wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.Progress().Err
	case <-ctx.Done():
		return fmt.Errorf("wait for the index of %s: %w", f.path, ctx.Err())
	}
}

// Path gives the path that the file was opened with.
func (f *File) Path() string { return f.path }

// Version gives the version of the trace's format, 1 or 2.
func (f *File) Version() int { return f.version }

// Config gives the configuration of the tracer that made the trace. (In a file that has its config after the events, which no
// known writer makes, it is empty until the index is done.) It must not be changed.
func (f *File) Config() *trace.Config {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.config
}

// Tail gives what stands after the events. It is there only once the index is done, and only when the trace is whole. It must
// not be changed.
func (f *File) Tail() (tail *trace.Tail, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.tail, f.tail != nil
}

// Len gives how many events are indexed.
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
