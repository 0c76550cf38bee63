package log

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"

	"github.com/cockroachdb/pebble/v2"
)

const (
	// A chunk ends at the next change of time after so many entries, or after so many bytes that are
	// kept. It is what retention has in memory at once.
	chunkEntries = 16 << 10
	chunkBytes   = 4 << 20
	// podChunk is how many deleted pods are processed while commits are blocked.
	podChunk = 256
	// sizeGoal is the fraction of MaxSize that is left after the log has exceeded it, so that the
	// limit is not exceeded again at once.
	sizeGoal = 0.9
	// minHistory is the fraction of MaxSize that changes may have even if everything else takes more
	// than the rest.
	minHistory = 0.1
)

// Retain drops what exceeds the limits of Options, as the log does by itself every minute. It
// returns when that is done, or ctx ended; the log is then consistent, too. Appends continue
// meanwhile, and snapshots do not change.
func (l *Log) Retain(ctx context.Context) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.leave()
	l.retaining.Lock()
	defer l.retaining.Unlock()
	if err := l.retain(ctx); err != nil {
		return fmt.Errorf("drop old entries of the event log: %w", err)
	}
	return nil
}

func (l *Log) retainLoop() {
	if l.opts.Retention <= 0 && l.opts.MaxSize <= 0 {
		return
	}
	ticker := l.opts.Clock.NewTicker(retainEvery)
	defer ticker.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-ticker.C():
		}
		// A failure of the log is returned by Append.
		if err := l.Retain(l.ctx); err != nil && l.ctx.Err() == nil && l.failed() == nil {
			l.opts.Logger.LogAttrs(l.ctx, slog.LevelError, "event log: retention", slog.Any("error", err))
		}
	}
}

func (l *Log) retain(ctx context.Context) error {
	// Everything that is appended from here on has a time of at least now, so the beginning can be
	// moved to any time up to now.
	now, err := l.flush()
	if err != nil {
		return err
	}
	if l.opts.Retention > 0 {
		for done := false; !done; {
			if done, err = l.dropChunk(ctx, now-l.opts.Retention.Milliseconds()); err != nil {
				return err
			}
		}
	}
	if l.opts.MaxSize > 0 {
		if err := l.retainSize(ctx, now); err != nil {
			return err
		}
	}
	return l.dropBefore(ctx)
}

// retainSize drops the oldest entries until the log is small enough. Dropped entries that are still
// on disk, because compaction is pending or a snapshot needs them, do not count. Otherwise
// everything would be dropped.
func (l *Log) retainSize(ctx context.Context, now int64) error {
	limit := l.opts.MaxSize
	if int64(l.db.Metrics().DiskSpaceUsage()) <= limit {
		return nil
	}
	// Sizes are known only for tables, and a deletion frees space only once it is in one.
	if err := l.db.Flush(); err != nil {
		return err
	}
	entries, rest, err := l.sizes()
	if err != nil || entries+rest <= limit {
		return err
	}
	if float64(rest) > float64(limit)/2 {
		// Much of it may be dropped versions.
		if err := l.db.Compact(ctx, versionSpace.first(), versionSpace.end(), false); err != nil {
			return err
		}
		if entries, rest, err = l.sizes(); err != nil {
			return err
		}
	}
	goal := max(int64(sizeGoal*float64(limit))-rest, int64(minHistory*float64(limit)))
	if rest > limit {
		l.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "event log: existing objects exceed the size limit",
			slog.Int64("bytes", rest), slog.Int64("maxSize", limit))
	}
	from := entryKey(l.beginning().seq)
	for done := false; !done && entries > goal; {
		if done, err = l.dropChunk(ctx, now); err != nil {
			return err
		}
		if entries, _, err = l.sizes(); err != nil {
			return err
		}
	}
	if err := l.db.Flush(); err != nil {
		return err
	}
	to := entryKey(l.beginning().seq)
	if bytes.Equal(from, to) {
		return nil
	}
	return l.db.Compact(ctx, from, to, false)
}

// sizes returns the size in tables of the entries that were not dropped, and of everything else.
func (l *Log) sizes() (entries, rest int64, err error) {
	e, err := l.db.EstimateDiskUsage(entryKey(l.beginning().seq), entrySpace.end())
	if err != nil {
		return 0, 0, asCorrupt(err)
	}
	before, err := l.db.EstimateDiskUsage([]byte{0}, entrySpace.first())
	if err != nil {
		return 0, 0, asCorrupt(err)
	}
	after, err := l.db.EstimateDiskUsage(entrySpace.end(), []byte{math.MaxUint8})
	return int64(e), int64(before + after), asCorrupt(err)
}

func (l *Log) beginning() bounds {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begin
}

// dropChunk moves the beginning by one chunk, at most to limit, which must not be after now. It
// reports whether the beginning is at limit.
func (l *Log) dropChunk(ctx context.Context, limit int64) (done bool, err error) {
	if err := l.checkRunning(ctx); err != nil {
		return false, err
	}
	old := l.beginning()
	if limit <= old.time {
		return true, nil
	}
	c := &chunk{batch: l.db.NewBatch(), last: map[string]*lastVersion{}, begin: old, maxEntries: l.opts.chunkEntries}
	defer c.batch.Close()
	if done, err = c.collect(l.db, limit); err != nil {
		return false, err
	}
	if err := c.flatten(); err != nil {
		return false, err
	}
	c.begin.changes += c.changes
	if c.begin.seq > old.seq {
		if err := c.batch.DeleteRange(entryKey(old.seq), entryKey(c.begin.seq), nil); err != nil {
			return false, err
		}
	}
	if err := c.batch.Set(beginKey(), c.begin.encode(), nil); err != nil {
		return false, err
	}
	if err := l.applyLater(c.batch); err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begin = c.begin
	return done, nil
}

// applyLater commits a batch that need not be durable: if it is lost, retention does the same
// again.
func (l *Log) applyLater(b *pebble.Batch) error {
	err := apply(b, pebble.NoSync)
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = fmt.Errorf("write to event log: %w", asCorrupt(err))
		l.notify()
	}
	return err
}

// checkRunning returns why retention must stop, or nil.
func (l *Log) checkRunning(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil:
		return l.err
	case l.closing:
		return ErrClosed
	}
	return context.Cause(ctx)
}

// dropBefore drops pods, nodes and gaps that ended before the beginning.
func (l *Log) dropBefore(ctx context.Context) error {
	begin := l.beginning().time
	for done := false; !done; {
		if err := l.checkRunning(ctx); err != nil {
			return err
		}
		var err error
		if done, err = l.dropPods(begin); err != nil {
			return err
		}
	}
	b := l.db.NewBatch()
	defer b.Close()
	d := newDecoder()
	for kv, err := range scan(l.db, nodeSpace.first(), nodeSpace.end()) {
		if err != nil {
			return err
		}
		n, _, err := readNode(d, kv)
		if err != nil {
			return err
		}
		if n.To != 0 && n.To <= begin {
			if err := b.Delete(kv.key, nil); err != nil {
				return err
			}
		}
	}
	for kv, err := range scan(l.db, gapSpace.first(), gapSpace.end()) {
		if err != nil {
			return err
		}
		g, err := readGap(d, kv)
		if err != nil {
			return err
		}
		if max(g.To, g.From+1) <= begin {
			if err := b.Delete(kv.key, nil); err != nil {
				return err
			}
		}
	}
	if b.Empty() {
		return nil
	}
	return l.applyLater(b)
}

// dropPods drops some of the pods that were deleted before a time, and reports whether these were
// all.
func (l *Log) dropPods(before int64) (done bool, err error) {
	// A pod may be appended again, which must happen after this.
	l.committing.Lock()
	defer l.committing.Unlock()
	b := l.db.NewBatch()
	defer b.Close()
	d := newDecoder()
	seen := 0
	for kv, err := range scan(l.db, deletedPodSpace.first(), appendTimeKey(nil, deletedPodSpace, before, "")) {
		if err != nil {
			return false, err
		}
		if seen++; seen > podChunk {
			break
		}
		if err := dropPod(l.db, b, d, kv.key, before); err != nil {
			return false, err
		}
	}
	if seen == 0 {
		return true, nil
	}
	return seen <= podChunk, l.applyLater(b)
}

// dropPod drops the key that a deleted pod was found by, and the pod, unless it has been recorded
// again as not deleted before that time.
func dropPod(store pebble.Reader, b *pebble.Batch, d *decoder, found []byte, before int64) error {
	if len(found) < 1+2*numberLen {
		return corrupt("key %q is too short", found)
	}
	if err := b.Delete(found, nil); err != nil {
		return err
	}
	key := append(podSpace.first(), found[1+numberLen:]...)
	value, closer, err := store.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return asCorrupt(err)
	}
	defer closer.Close()
	p, _, err := readPod(d, pair{key, value})
	if err != nil {
		return err
	}
	if p.Deleted == 0 || p.Deleted >= before {
		return nil
	}
	return b.Delete(key, nil)
}
