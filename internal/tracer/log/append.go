package log

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/cockroachdb/pebble/v2"
)

// maxPending is the size in bytes of the pending batch from which Append waits for the commit in
// progress. One batch of this size is being filled and one being written, unless a single call
// appends more. Pebble turns a batch of half a memtable or more into a memtable of its own.
const maxPending = 2 << 20

func newBatch(db *pebble.DB) *pebble.Batch {
	return db.NewBatch(pebble.WithInitialSizeBytes(64<<10), pebble.WithMaxRetainedSizeBytes(2*maxPending))
}

// Append adds entries, all or none of them, and returns the number of the last. It returns before
// they are durable, see [Log.Sync], and waits if too much is not durable yet. It does not retain
// the entries. The error is ErrEntry if an entry has no valid key or time, the cause of ctx if it
// ended during the wait, ErrClosed, or why the log failed; a failed log must be opened again.
func (l *Log) Append(ctx context.Context, entries ...Entry) (Seq, error) {
	for _, e := range entries {
		if err := checkEntry(e); err != nil {
			return 0, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.pending.Len() >= maxPending && l.err == nil && !l.closing {
		if err := l.wait(ctx); err != nil {
			return 0, err
		}
	}
	switch {
	case l.err != nil:
		return 0, l.err
	case l.closing:
		return 0, ErrClosed
	case len(entries) == 0:
		return l.end.seq, nil
	}
	empty := l.pending.Empty()
	ms := l.now()
	l.end.time = ms
	for _, e := range entries {
		if err := l.add(e, ms); err != nil {
			// Part of the entries may be in the batch, which must never be committed.
			l.err = fmt.Errorf("append to event log: %w", err)
			l.notify()
			return 0, l.err
		}
	}
	if empty {
		l.wakeCommitter()
	}
	return l.end.seq, nil
}

// wait waits until something changes. It unlocks mu meanwhile.
func (l *Log) wait(ctx context.Context) error {
	changed := l.changed
	l.mu.Unlock()
	defer l.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// now returns the time of the next entry, which is never before an earlier one. It must be called
// with mu held.
func (l *Log) now() int64 {
	l.lastTime = max(l.lastTime, l.opts.Clock.Now().UnixMilli())
	return l.lastTime
}

func (l *Log) wakeCommitter() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// add encodes an entry into the pending batch. It must be called with mu held.
func (l *Log) add(e Entry, ms int64) error {
	seq := l.end.seq + 1
	var err error
	switch e := e.(type) {
	case *Change:
		err = l.addChange(e, seq, ms)
		l.end.changes++
	case *Pod:
		err = l.addPod(e, seq, ms)
	case *Node:
		err = errors.Join(
			l.set(appendSeqKey(l.keyScratch[:0], entrySpace, seq), appendEntryHead(l.scratch[:0], nodeEntry, ms)),
			l.set(appendTimeKey(l.keyScratch[:0], nodeSpace, e.From, e.UID), appendNode(l.scratch[:0], seq, e)))
	case *Gap:
		err = errors.Join(
			l.set(appendSeqKey(l.keyScratch[:0], entrySpace, seq), appendEntryHead(l.scratch[:0], gapEntry, ms)),
			l.set(appendSeqKey(l.keyScratch[:0], gapSpace, seq), appendGap(l.scratch[:0], e)))
	}
	l.end.seq = seq
	return err
}

// set adds to the pending batch, and keeps both slices for reuse.
func (l *Log) set(key, value []byte) error {
	l.keyScratch, l.scratch = key, value
	return l.pending.Set(key, value, nil)
}

func (l *Log) addChange(c *Change, seq Seq, ms int64) error {
	if err := l.set(appendSeqKey(l.keyScratch[:0], entrySpace, seq), appendChange(l.scratch[:0], ms, c)); err != nil {
		return err
	}
	key := appendNumber(appendVersionPrefix(l.keyScratch[:0], c.Key), uint64(seq))
	return l.set(key, appendVersion(l.scratch[:0], ms, c))
}

func (l *Log) addPod(p *Pod, seq Seq, ms int64) error {
	err := errors.Join(
		l.set(appendSeqKey(l.keyScratch[:0], entrySpace, seq), appendEntryHead(l.scratch[:0], podEntry, ms)),
		l.set(appendTimeKey(l.keyScratch[:0], podSpace, p.Created, p.UID), appendPod(l.scratch[:0], seq, p)))
	live := appendTimeKey(l.keyScratch[:0], livePodSpace, p.Created, p.UID)
	if p.Deleted == 0 {
		return errors.Join(err, l.set(live, l.scratch[:0]))
	}
	l.keyScratch = live
	return errors.Join(err, l.pending.Delete(live, nil), l.set(appendDeletedKey(l.keyScratch[:0], p), l.scratch[:0]))
}

// appendDeletedKey appends the key that retention finds the pod by.
func appendDeletedKey(b []byte, p *Pod) []byte {
	b = appendNumber(append(b, byte(deletedPodSpace)), uint64(p.Deleted))
	return append(appendNumber(b, uint64(p.Created)), p.UID...)
}

// Sync waits until everything up to seq is durable. The error is the cause of ctx if it ended, or
// why the log failed.
func (l *Log) Sync(ctx context.Context, seq Seq) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq > l.end.seq {
		return fmt.Errorf("wait for entry %d of the event log: only %d were appended", seq, l.end.seq)
	}
	for l.durable < seq {
		if l.err != nil {
			return l.err
		}
		if err := l.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// commitLoop commits the pending batch as soon as the previous commit is done.
func (l *Log) commitLoop() {
	ticker := l.opts.Clock.NewTicker(heartbeat)
	defer ticker.Stop()
	last := l.opts.Clock.Now()
	for {
		beat := false
		select {
		case <-l.wake:
		case <-ticker.C():
			if beat = l.opts.Clock.Since(last) >= heartbeat; !beat {
				continue
			}
		case <-l.stop:
			// Nothing is appended after this, since Close has set closing.
			l.commit(true)
			return
		}
		if !l.commit(beat) {
			return
		}
		last = l.opts.Clock.Now()
	}
}

// commit makes the pending batch durable, together with the end of the log. If nothing is pending
// it does nothing, unless beat is set and the log has entries. It returns false if the log failed.
func (l *Log) commit(beat bool) bool {
	l.committing.Lock()
	defer l.committing.Unlock()
	complete := l.completeUntil()
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return false
	}
	entries := !l.pending.Empty()
	if !entries && (!beat || l.end.seq == 0) {
		l.mu.Unlock()
		return true
	}
	batch, end := l.pending, l.end
	l.pending, l.spare = l.spare, nil
	now := l.now()
	if l.opts.CompleteUntil == nil {
		complete = now
	}
	end.completeUntil = max(l.complete, min(complete, now))
	l.complete = end.completeUntil
	l.mu.Unlock()

	err := batch.Set(endKey(), end.encode(), nil)
	if err == nil {
		err = apply(batch, pebble.Sync)
	}

	l.mu.Lock()
	if err != nil {
		l.err = fmt.Errorf("write to event log: %w", asCorrupt(err))
		l.notify()
		l.mu.Unlock()
		return false
	}
	batch.Reset()
	l.spare = batch
	l.durable = end.seq
	l.notify()
	l.mu.Unlock()
	if entries && l.opts.OnDurable != nil {
		l.opts.OnDurable(end.seq)
	}
	return true
}

// completeUntil calls Options.CompleteUntil.
func (l *Log) completeUntil() int64 {
	if l.opts.CompleteUntil == nil {
		return 0
	}
	return l.opts.CompleteUntil()
}

// apply commits a batch. If the store cannot, it panics with a fatalError, which is returned, and
// must not be used any more.
func apply(batch *pebble.Batch, how *pebble.WriteOptions) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *fatalError:
			err = r
		case runtime.Error:
			panic(r)
		case error:
			err = &fatalError{message: r.Error(), stuck: true}
		default:
			panic(r)
		}
	}()
	return batch.Commit(how)
}

// flush waits until everything appended before is durable, and returns a lower bound of the times
// of later entries.
func (l *Log) flush() (int64, error) {
	l.mu.Lock()
	ms, seq := l.now(), l.end.seq
	l.mu.Unlock()
	return ms, l.Sync(context.Background(), seq) // the disk takes as long as it takes
}
