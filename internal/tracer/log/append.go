package log

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/cockroachdb/pebble/v2"
)

// maxPending is how many bytes may wait for the commit that is under way. There is one batch of this size being filled and one being
// written, unless one call alone appends more. Of a batch of half a memtable or more pebble would make a memtable.
const maxPending = 2 << 20

func newBatch(db *pebble.DB) *pebble.Batch {
	return db.NewBatch(pebble.WithInitialSizeBytes(64<<10), pebble.WithMaxRetainedSizeBytes(2*maxPending))
}

// Append adds entries, all or none of them, and returns the number of the last. It returns before they are durable: see Sync. It waits while too much
// is not durable yet. Entries are not kept. An error is ErrEntry if an entry has no proper key or time, ctx's own if it ended while
// waiting, ErrClosed, or why the log failed: then it has to be opened again.
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
			// Half of the call may be in the batch: it must never be committed.
			l.err = fmt.Errorf("append to event log: %w", err)
			l.notify()
			return 0, l.err
		}
	}
	if empty {
		l.poke()
	}
	return l.end.seq, nil
}

// wait lets go of mu until something changes.
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

// now is the time of what is appended next. It is called with mu held.
func (l *Log) now() int64 {
	l.floor = max(l.floor, l.opts.Clock.Now().UnixMilli())
	return l.floor
}

func (l *Log) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// add encodes an entry into the pending batch. It is called with mu held.
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

// set adds to the pending batch, and keeps the two slices for the next.
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

// appendDeletedKey appends the key by which retention finds the pod.
func appendDeletedKey(b []byte, p *Pod) []byte {
	b = appendNumber(append(b, byte(deletedPodSpace)), uint64(p.Deleted))
	return append(appendNumber(b, uint64(p.Created)), p.UID...)
}

// Sync waits until everything up to seq is durable. An error is ctx's own if it ended, or why the log failed.
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

// commitLoop commits what is pending as soon as the commit before it is done.
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
			// All that was appended was appended before: Close took the right away.
			l.commit(true)
			return
		}
		if !l.commit(beat) {
			return
		}
		last = l.opts.Clock.Now()
	}
}

// commit makes what is pending durable, with where the log ends. It does nothing if nothing is pending, unless it is a heartbeat of a
// log that has entries. It returns false if the log failed.
func (l *Log) commit(beat bool) bool {
	l.committing.Lock()
	defer l.committing.Unlock()
	sure := l.sure()
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
	if l.opts.Sure == nil {
		sure = now
	}
	end.alive = max(l.known, min(sure, now))
	l.known = end.alive
	l.mu.Unlock()

	err := batch.Set(endKey(), end.encode(), nil)
	if err == nil {
		err = apply(batch, pebble.Sync)
	}

	l.mu.Lock()
	if err != nil {
		l.err = fmt.Errorf("write to event log: %w", typed(err))
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

// sure asks up to when everything was appended.
func (l *Log) sure() int64 {
	if l.opts.Sure == nil {
		return 0
	}
	return l.opts.Sure()
}

// apply commits a batch. When it cannot, the store panics with a fatalError, after which it must not be used.
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

// flush waits until what was appended before it is durable, and gives the time that nothing appended later is before.
func (l *Log) flush() (int64, error) {
	l.mu.Lock()
	ms, seq := l.now(), l.end.seq
	l.mu.Unlock()
	return ms, l.Sync(context.Background(), seq) // the disk's own time
}
