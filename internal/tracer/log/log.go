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

// Options are what Open can be told. The zero value keeps everything for ever, on disk.
type Options struct {
	// InMemory keeps nothing on disk; the directory is not used.
	InMemory bool
	// Retention is how far back exports can reach; 0: for ever.
	Retention time.Duration
	// MaxSize is how many bytes the log may have on disk; 0: any. What is needed to work, some 50 MiB, comes on top. The state
	// of what exists is kept whatever its size.
	MaxSize int64
	// Clock stamps what is appended. Nil: the real one.
	Clock clock.WithTicker
	// Sure returns up to when all that happened was appended, in unix milliseconds; 0: no further
	// than was known before. It is asked before each commit, so that what it speaks of is committed
	// at the latest with its answer. Nil: all that happens is appended at once.
	Sure func() int64
	// OnDurable is called after every commit, from one goroutine, with what is durable now. Commits wait for it.
	OnDurable func(upTo Seq)
	Logger    *slog.Logger

	// fs and chunkEntries replace the file system and the constant in tests.
	fs           vfs.FS
	chunkEntries int
}

const (
	// heartbeat is how often a log nobody appends to notes that it is alive. A gap may begin so much too early.
	heartbeat = 2 * time.Second
	// retainEvery is how often retention is looked after.
	retainEvery = time.Minute
	// memoryDir is where a log is in its own file system in memory.
	memoryDir = "/log"
)

// Log is an event log. It is safe for concurrent use.
type Log struct {
	opts Options
	dir  *directory
	db   *pebble.DB

	// wake has a token when there is something for the committer.
	wake chan struct{}
	// ctx ends when the log is being closed, for what can be left undone; stop is closed to end the background.
	ctx        context.Context
	cancel     context.CancelFunc
	stop       chan struct{}
	background sync.WaitGroup
	// committing is held during a commit, by the committer, and by who must not run beside one.
	committing sync.Mutex
	// retaining is held by the one that moves the beginning.
	retaining sync.Mutex

	mu sync.Mutex // guards the following
	// pending is what is appended and not yet being committed, spare the other batch of the two.
	pending, spare *pebble.Batch
	// begin is where the log begins, end where what was appended ends.
	begin, end bounds
	// known is up to when everything was appended, as far as is durable; opened what it was when
	// the log was opened.
	known, opened int64
	// floor is the last time that was given out: the clock may go back, times in the log do not.
	floor   int64
	durable Seq
	// changed is closed and replaced whenever durable, err, closing or readers change.
	changed chan struct{}
	// err is why nothing can be appended any more.
	err     error
	closing bool
	// readers are who uses the store: snapshots mostly.
	readers int
	// scratch is for encoding.
	scratch, keyScratch []byte
}

// Objects gives the objects that exist now, by kind and name; without their Object, References and Ancestors.
// The records are the caller's.
func (l *Log) Objects() iter.Seq2[*Record, error] {
	return withSnapshot(l, (*Snapshot).objects)
}

// LivePods gives the pods that are not known to be deleted, in the order they were created.
func (l *Log) LivePods() iter.Seq2[*Pod, error] {
	return withSnapshot(l, (*Snapshot).livePods)
}

// LiveNodes gives the nodes that have no To, by From.
func (l *Log) LiveNodes() iter.Seq2[*Node, error] {
	return withSnapshot(l, (*Snapshot).liveNodes)
}

// withSnapshot gives what a snapshot has that is made when the sequence is used.
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

// Stats are figures of a log.
type Stats struct {
	// Bytes are those on disk.
	Bytes int64
	// Events are the changes in the log, without the flattened state at its beginning.
	Events uint64
	// Appended and Durable are the last numbers.
	Appended, Durable Seq
	// Begin is the time the log reaches back to, Last the time of the last entry, in unix milliseconds.
	Begin, Last int64
}

// Stats tells how large the log is. Of a closed log it has what was last known, and no bytes.
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

// Known returns up to when the log was known to have everything when it was opened, in unix
// milliseconds: of a new one, when it was made. What happened between then and now may be missing.
func (l *Log) Known() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opened
}

// enter keeps the store open until leave, unless the log is closed or failed.
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

// failed gives why the log failed.
func (l *Log) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// notify tells all who wait for something of the log. It is called with mu held.
func (l *Log) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}
