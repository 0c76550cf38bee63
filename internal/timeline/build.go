package timeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"

	"simkube.io/simkube/trace"
)

// errTooMany is returned for a trace with more objects than the index can number. Its index would
// take some 50 GB of memory.
var errTooMany = errors.New("the trace has more objects than can be indexed")

// notifyBytes is the number of bytes after which waiters are notified that the index has grown.
const notifyBytes = 4 << 20

// build reads the trace and adds its events to the index, until the end of the trace or an error.
func (f *File) build(ctx context.Context, reader *trace.Reader) error {
	var contents []uint64 // hashes of one event, computed without holding the lock
	notified := reader.Offset()
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		contents = contents[:0]
		for i := range e.Applied {
			contents = append(contents, xxhash.Sum64(e.Applied[i].Raw()))
		}
		end := reader.Offset()
		if err := f.record(e, contents, end); err != nil {
			return err
		}
		if end-notified >= notifyBytes || n == 0 {
			notified = end
			f.notify()
		}
	}
}

// record adds an event to the index.
func (f *File) record(e *trace.Event, contents []uint64, end int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	objects := len(e.Applied) + len(e.Deleted)
	if f.index.occurrences.len()+objects >= none || f.index.objects.len()+objects > idMask {
		return errTooMany
	}
	f.index.add(e, contents, end)
	f.progress.Events++
	f.progress.Bytes = end
	return nil
}

// finish reads the tail, unless the events ended with an error, and marks the index as done.
func (f *File) finish(err error, reader *trace.Reader) {
	var tail *trace.Tail
	if err == nil {
		tail, err = reader.Tail()
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", f.path, err)
	}
	f.mu.Lock()
	f.tail = tail
	f.config = cloneConfig(reader.Config())
	f.progress.Done, f.progress.Err = true, err
	if err == nil {
		f.progress.Bytes = reader.Offset()
	}
	f.mu.Unlock()
	f.notify()
}

// notify wakes up those that wait for the index to grow, and sends on Changed unless a value is
// pending there.
func (f *File) notify() {
	f.mu.Lock()
	close(f.growth)
	f.growth = make(chan struct{})
	f.mu.Unlock()
	select {
	case f.changed <- struct{}{}:
	default:
	}
}
