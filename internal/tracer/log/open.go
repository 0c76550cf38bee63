package log

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"k8s.io/utils/clock"
)

// Open opens the log in a directory, and creates it if necessary. Errors are ErrInUse, ErrNotLog,
// ErrNewer, a *CorruptError, or those of the system; the directory is then unchanged. If the log
// has entries, a Gap is appended from when the log was last known to be complete until now.
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
	d, err := lockDirectory(opts.fs, dir, true)
	if err != nil {
		return nil, err
	}
	db, err := openStore(opts.fs, d.store(), d.exists, false, opts.Logger)
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
	if err := l.readOrInit(); err != nil {
		l.cancel()
		return nil, errors.Join(asCorrupt(err), l.pending.Close(), l.spare.Close(), db.Close(), d.release())
	}
	l.complete = l.openComplete
	l.background.Go(l.commitLoop)
	l.background.Go(l.retainLoop)
	if err := l.markGap(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// readOrInit reads the beginning and the end of the log, or initialises a new one.
func (l *Log) readOrInit() error {
	now := l.opts.Clock.Now().UnixMilli()
	begin, end, err := readBounds(l.db)
	if errors.Is(err, pebble.ErrNotFound) && !l.dir.exists {
		l.begin = bounds{seq: 1, time: now}
		l.end = bounds{time: now}
		l.openComplete = beginningOf(now)
		b := l.db.NewBatch()
		defer b.Close()
		if err := errors.Join(b.Set(beginKey(), l.begin.encode(), nil), b.Set(endKey(), l.end.encode(), nil)); err != nil {
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
		// The entries in between are not checked here, since reading them takes long: see Check.
		d := newDecoder()
		for _, seq := range []Seq{begin.seq, end.seq} {
			if _, err := timeOf(l.db, d, seq); err != nil {
				return err
			}
		}
	}
	l.begin, l.end, l.durable = begin, end, end.seq
	l.lastTime = max(end.time, end.completeUntil)
	if l.openComplete = end.completeUntil; l.openComplete == 0 {
		l.openComplete = beginningOf(begin.time) // nothing was committed yet
	}
	if !l.dir.exists {
		if end.seq > 0 {
			return fmt.Errorf("%w: it has entries and no file %s", ErrNotLog, formatFile)
		}
		return l.dir.finish()
	}
	return nil
}

// beginningOf returns the beginning of the second of a time, so that an export from the beginning
// of the log has whole seconds.
func beginningOf(ms int64) int64 { return ms - ms%1000 }

var errNoBounds = corrupt("its beginning and end are missing")

// readBounds reads the beginning and the end of a log.
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

// markGap appends the gap since the log was last known to be complete.
func (l *Log) markGap() error {
	l.mu.Lock()
	empty, from := l.end.seq == 0, l.openComplete
	to := l.now()
	l.mu.Unlock()
	if empty {
		return nil
	}
	ctx := context.Background() // the disk takes as long as it takes
	seq, err := l.Append(ctx, &Gap{From: from, To: to})
	if err != nil {
		return err
	}
	return l.Sync(ctx, seq)
}

// Close makes everything durable and closes the log. It waits until all snapshots are closed. It
// returns ErrClosed if the log is closed already.
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
	// After the store failed, the contents of the disk are as after a crash.
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
