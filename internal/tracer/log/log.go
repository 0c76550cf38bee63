package log

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"k8s.io/utils/clock"
)

// Options are the options of Open. The zero value keeps everything forever, on disk.
type Options struct {
	// InMemory keeps the log in memory; the directory is not used.
	InMemory bool
	// Retention is how far back exports can reach; 0 means forever.
	Retention time.Duration
	// MaxSize is the limit in bytes of the log on disk; 0 means no limit. The working space of some 50
	// MiB is not included. The state of existing objects is kept even if it exceeds the limit.
	MaxSize int64
	// Clock is the source of the entries' times. Nil means the real clock.
	Clock clock.WithTicker
	// CompleteUntil returns the time, in unix milliseconds, until which everything that happened was
	// appended; 0 means that it is not known. It is called before each commit, so that what its result
	// covers is committed no later than the result. Nil means that everything is appended when it
	// happens.
	CompleteUntil func() int64
	// OnDurable is called after every commit, from one goroutine, with the last durable number.
	// Commits wait for it.
	OnDurable func(upTo Seq)
	Logger    *slog.Logger

	// fs and chunkEntries replace the file system and the constant in tests.
	fs           vfs.FS
	chunkEntries int
}

const (
	// heartbeat is how often a log that is not appended to stores that it is complete. A gap may begin
	// too early by this much.
	heartbeat = 2 * time.Second
	// retainEvery is the interval of retention.
	retainEvery = time.Minute
	// memoryDir is the directory of a log in its own file system in memory.
	memoryDir = "/log"
)

// Log is an event log. It is safe for concurrent use.
type Log struct {
	opts Options
	dir  *directory
	db   *pebble.DB

	// wake has a token if there is something to commit.
	wake chan struct{}
	// ctx ends when the log is being closed, for work that can be aborted; stop is closed to end the
	// background goroutines.
	ctx        context.Context
	cancel     context.CancelFunc
	stop       chan struct{}
	background sync.WaitGroup
	// committing is held during a commit, and by what must not run concurrently with one.
	committing sync.Mutex
	// retaining is held while the beginning is moved.
	retaining sync.Mutex

	mu sync.Mutex // guards the following
	// pending is the batch that is being filled, spare the other one of the two while it is not being
	// committed.
	pending, spare *pebble.Batch
	// begin is the beginning of the log, end the last appended entry.
	begin, end bounds
	// complete is the durable value of bounds.completeUntil, openComplete its value when the log
	// was opened.
	complete, openComplete int64
	// lastTime is the last time used. The clock may go back; times in the log do not.
	lastTime int64
	durable  Seq
	// changed is closed and replaced whenever durable, err, closing or readers change.
	changed chan struct{}
	// err is why nothing can be appended any more.
	err     error
	closing bool
	// readers is the number of users of the store, mostly snapshots.
	readers int
	// scratch and keyScratch are encoding buffers.
	scratch, keyScratch []byte
}

// Objects returns the objects that exist now, sorted by kind and name, without their Object,
// References and Ancestors. The caller may keep the records.
func (l *Log) Objects() iter.Seq2[*Record, error] {
	return withSnapshot(l, (*Snapshot).objects)
}

// LivePods returns the pods that are not known to be deleted, sorted by creation.
func (l *Log) LivePods() iter.Seq2[*Pod, error] {
	return withSnapshot(l, (*Snapshot).livePods)
}

// LiveNodes returns the nodes that have no To, sorted by From.
func (l *Log) LiveNodes() iter.Seq2[*Node, error] {
	return withSnapshot(l, (*Snapshot).liveNodes)
}

// withSnapshot returns a sequence of a snapshot that is taken when the iteration begins.
func withSnapshot[T any](l *Log, of func(*Snapshot) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		s, err := l.Snapshot()
		if err != nil {
			yield(zero, err)
			return
		}
		stopped := false
		for v, err := range of(s) {
			if !yield(v, err) {
				stopped = true
				break
			}
		}
		if err := s.Close(); err != nil && !stopped {
			yield(zero, err)
		}
	}
}

// Stats are statistics of a log.
type Stats struct {
	// Bytes is the size on disk.
	Bytes int64
	// Events is the number of changes in the log, without the flattened state at its beginning.
	Events uint64
	// Appended and Durable are the last appended and the last durable number.
	Appended, Durable Seq
	// Begin is the time that the log reaches back to, Last the time of the last entry, in unix
	// milliseconds.
	Begin, Last int64
}

// Stats returns the statistics of the log. For a closed log they are the last known ones, with 0
// bytes.
func (l *Log) Stats() Stats {
	err := l.enter()
	l.mu.Lock()
	s := Stats{
		Events:   l.end.changes - l.begin.changes,
		Appended: l.end.seq,
		Durable:  l.durable,
		Begin:    l.begin.time,
		Last:     l.end.time,
	}
	l.mu.Unlock()
	if err == nil {
		s.Bytes = int64(l.db.Metrics().DiskSpaceUsage())
		l.leave()
	}
	return s
}

// CompleteAtOpen returns the time, in unix milliseconds, until which the log was known to be
// complete when it was opened. For a new log it is when the log was created. What happened since
// may be missing.
func (l *Log) CompleteAtOpen() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.openComplete
}

// enter keeps the store open until leave. It fails if the log is closed or failed.
func (l *Log) enter() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil:
		return l.err
	case l.closing:
		return ErrClosed
	}
	l.readers++
	return nil
}

func (l *Log) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers--
	l.notify()
}

// failed returns why the log failed.
func (l *Log) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// notify wakes up all goroutines that wait for a change. It must be called with mu held.
func (l *Log) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}
