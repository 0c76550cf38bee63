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

// Open opens the log in a directory, which it makes if needed. Errors are ErrInUse, ErrNotLog,
// ErrNewer, a *CorruptError, or the system's; all leave the directory as it is. A log that has
// entries gets a Gap from when it was last known to have everything until now.
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
	l.known = l.opened
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
		l.opened = beginningOf(now)
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
	if l.opened = end.alive; l.opened == 0 {
		l.opened = beginningOf(begin.time) // nothing was ever committed
	}
	if !l.dir.made {
		if end.seq > 0 {
			return fmt.Errorf("%w: it has entries and no file %s", ErrNotLog, formatFile)
		}
		return l.dir.finish()
	}
	return nil
}

// beginningOf returns the beginning of the second a time is in: an export that begins with the log
// has the whole of it.
func beginningOf(ms int64) int64 { return ms - ms%1000 }

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

// markGap records the time since the log was last known to have everything.
func (l *Log) markGap() error {
	l.mu.Lock()
	empty, from := l.end.seq == 0, l.opened
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
