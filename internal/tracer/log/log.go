package log

import (
	"context"
	"errors"
	"fmt"
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
	// MaxSize is how many bytes the log may have on disk; 0: any. What is needed to work, some 64 MiB, comes on top. The state
	// of what exists is kept whatever its size.
	MaxSize int64
	// Clock stamps what is appended. Nil: the real one.
	Clock clock.WithTicker
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
	memoryDir   = "/log"
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

// Open opens the log in a directory, which it makes if needed. Errors are ErrInUse, ErrNotLog, ErrNewer, a *CorruptError, or the
// system's; all leave the directory as it is. A log that has entries gets a Gap from when it was last known to be written to until now.
func Open(dir string, opts Options) (*Log, error) {
	l, err := open(dir, opts)
	if err != nil {
		return nil, fmt.Errorf("open event log %s: %w", dir, err)
	}
	return l, nil
}

func open(dir string, opts Options) (*Log, error) {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.chunkEntries == 0 {
		opts.chunkEntries = chunkEntries
	}
	switch {
	case opts.InMemory:
		dir, opts.fs = memoryDir, vfs.NewMem()
	case opts.fs == nil:
		opts.fs = vfs.Default
	}
	d, err := holdDirectory(opts.fs, dir, true)
	if err != nil {
		return nil, err
	}
	db, err := openStore(opts.fs, d.store(), d.made, false, opts.Logger)
	if err != nil {
		return nil, errors.Join(err, d.release())
	}
	l := &Log{
		opts:    opts,
		dir:     d,
		db:      db,
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		changed: make(chan struct{}),
		pending: newBatch(db),
		spare:   newBatch(db),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	if err := l.begun(); err != nil {
		l.cancel()
		return nil, errors.Join(typed(err), l.pending.Close(), l.spare.Close(), db.Close(), d.release())
	}
	l.background.Go(l.commitLoop)
	l.background.Go(l.retainLoop)
	if err := l.markGap(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// begun reads where the log begins and ends, or makes it begin now.
func (l *Log) begun() error {
	now := l.opts.Clock.Now().UnixMilli()
	begin, end, err := readBounds(l.db)
	if errors.Is(err, pebble.ErrNotFound) && !l.dir.made {
		l.begin = bounds{seq: 1, time: now}
		l.end = bounds{time: now}
		b := l.db.NewBatch()
		defer b.Close()
		if err := errors.Join(b.Set(beginKey(), l.begin.append(nil), nil), b.Set(endKey(), l.end.append(nil), nil)); err != nil {
			return err
		}
		if err := b.Commit(pebble.Sync); err != nil {
			return err
		}
		return l.dir.finish()
	}
	if err != nil {
		if errors.Is(err, pebble.ErrNotFound) {
			return errNoBounds
		}
		return err
	}
	if begin.seq <= end.seq {
		// Whether what is between is there, too, costs reading it: see Check.
		d := newDecoder()
		for _, seq := range []Seq{begin.seq, end.seq} {
			if _, err := timeOf(l.db, d, seq); err != nil {
				return err
			}
		}
	}
	l.begin, l.end, l.durable = begin, end, end.seq
	l.floor = max(end.time, end.alive)
	if !l.dir.made {
		if end.seq > 0 {
			return fmt.Errorf("%w: it has entries and no file %s", ErrNotLog, formatFile)
		}
		return l.dir.finish()
	}
	return nil
}

var errNoBounds = corrupt("it does not say where it begins and ends")

// readBounds reads where a log begins and ends.
func readBounds(db pebble.Reader) (begin, end bounds, err error) {
	d := newDecoder()
	read := func(key []byte) (bounds, error) {
		v, closer, err := db.Get(key)
		if err != nil {
			return bounds{}, err
		}
		defer closer.Close()
		b, err := d.bounds(v)
		if err != nil {
			return bounds{}, corrupt("%q: %w", key, err)
		}
		return b, nil
	}
	if begin, err = read(beginKey()); err != nil {
		return begin, end, err
	}
	if end, err = read(endKey()); err != nil {
		return begin, end, err
	}
	if begin.seq > end.seq+1 || begin.changes > end.changes || begin.seq == 0 {
		return begin, end, corrupt("it begins at %d and ends at %d", begin.seq, end.seq)
	}
	return begin, end, nil
}

// markGap records the time since the log was last known to be written to.
func (l *Log) markGap() error {
	l.mu.Lock()
	empty, from := l.end.seq == 0, l.floor
	to := l.now()
	l.mu.Unlock()
	if empty {
		return nil
	}
	ctx := context.Background() // the disk's own time
	seq, err := l.Append(ctx, &Gap{From: from, To: to})
	if err != nil {
		return err
	}
	return l.Sync(ctx, seq)
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

// Close makes everything durable and closes the log. It waits until all snapshots are closed. Closing twice is ErrClosed.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closing {
		l.mu.Unlock()
		return ErrClosed
	}
	l.closing = true
	l.cancel()
	l.notify()
	for l.readers > 0 {
		changed := l.changed
		l.mu.Unlock()
		<-changed
		l.mu.Lock()
	}
	l.mu.Unlock()
	close(l.stop)
	return errors.Join(l.closeStore(), l.dir.release())
}

func (l *Log) closeStore() error {
	// What is on disk after the store failed is as after a crash.
	var fatal *fatalError
	if errors.As(l.failed(), &fatal) && fatal.stuck {
		return l.failed()
	}
	l.background.Wait()
	failed := l.failed()
	if errors.As(failed, &fatal) && fatal.stuck {
		return failed
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = ErrClosed
		l.notify()
	}
	err := l.pending.Close()
	if l.spare != nil {
		err = errors.Join(err, l.spare.Close())
	}
	return errors.Join(failed, err, l.db.Close())
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
