package log

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"sort"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// Snapshot is the state of a log at one time. Its methods may be called concurrently.
type Snapshot struct {
	log        *Log
	store      *pebble.Snapshot
	begin, end bounds
	time       int64
	once       sync.Once
	closeErr   error
}

// Snapshot returns a snapshot of the log with everything appended so far. It must be closed. It
// does not block appends.
func (l *Log) Snapshot() (*Snapshot, error) {
	if err := l.enter(); err != nil {
		return nil, err
	}
	s, err := l.snapshot()
	if err != nil {
		l.leave()
		return nil, fmt.Errorf("take a snapshot of the event log: %w", err)
	}
	return s, nil
}

func (l *Log) snapshot() (*Snapshot, error) {
	ms, err := l.flush()
	if err != nil {
		return nil, err
	}
	s := &Snapshot{log: l, store: l.db.NewSnapshot(), time: ms}
	if s.begin, s.end, err = readBounds(s.store); err != nil {
		return nil, errors.Join(asCorrupt(err), s.store.Close())
	}
	return s, nil
}

// Close releases the snapshot. Calls after the first have no effect.
func (s *Snapshot) Close() error {
	s.once.Do(func() {
		s.closeErr = s.store.Close()
		s.log.leave()
	})
	return s.closeErr
}

// Begin returns the time, in unix milliseconds, that the log reaches back to: the state before it
// is flattened.
func (s *Snapshot) Begin() int64 { return s.begin.time }

// Time returns when the snapshot was taken, in unix milliseconds. Nothing appended later has an
// earlier time.
func (s *Snapshot) Time() int64 { return s.time }

// StateAt returns the objects that exist at a time (after all changes before it, and none at it),
// sorted by [trace.FormatGVK] of the kind, then name. A time before Begin means Begin. A Record is
// valid until the next one.
func (s *Snapshot) StateAt(ms int64) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		bound, err := s.seqAt(ms)
		if err != nil {
			yield(nil, err)
			return
		}
		s.state(bound, true, yield)
	}
}

// objects returns the objects at the end of the log, without the fields that are only in entries.
func (s *Snapshot) objects() iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		s.state(endOfTime, false, func(r *Record, err error) bool {
			if err != nil {
				return yield(nil, err)
			}
			own := *r
			own.Object, own.References, own.Ancestors = nil, nil, nil
			return yield(&own, nil)
		})
	}
}

// Changes returns the changes in [from, to), in order. A time before Begin means Begin. A Record is
// valid until the next one.
func (s *Snapshot) Changes(from, to int64) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		first, err := s.seqAt(from)
		if err != nil {
			yield(nil, err)
			return
		}
		var r Record
		d := newDecoder()
		next := first
		for kv, err := range s.scan(entryKey(first), entrySpace.end()) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !bytes.Equal(kv.key, entryKey(next)) {
				yield(nil, corrupt("entry %d is missing", next))
				return
			}
			change, err := d.record(kv.value, next, &r)
			if err != nil {
				yield(nil, corrupt("entry %d: %w", next, err))
				return
			}
			next++
			if r.Time >= to {
				return
			}
			if change && !yield(&r, nil) {
				return
			}
		}
	}
}

// Before returns the last change of an object before a Seq, or nil. The state at the log's
// beginning counts as a change. The caller may keep the record.
func (s *Snapshot) Before(key Key, seq Seq) (*Record, error) {
	seq = max(seq, s.begin.seq)
	prefix := appendVersionPrefix(nil, key)
	it, err := s.store.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: appendNumber(bytes.Clone(prefix), uint64(seq))})
	if err != nil {
		return nil, asCorrupt(err)
	}
	if !it.Last() {
		return nil, asCorrupt(it.Close())
	}
	var r Record
	err = s.readVersion(newDecoder(), it.Key(), it.Value(), &r)
	r.Object, r.References = bytes.Clone(r.Object), bytes.Clone(r.References)
	if err := errors.Join(asCorrupt(err), asCorrupt(it.Close())); err != nil {
		return nil, err
	}
	return &r, nil
}

// At is like Before, with a time in unix milliseconds in place of a Seq.
func (s *Snapshot) At(key Key, ms int64) (*Record, error) {
	seq, err := s.seqAt(ms)
	if err != nil {
		return nil, err
	}
	return s.Before(key, seq)
}

// readVersion reads a version and, if necessary, its entry into r, which is then complete. The byte
// slices of r may be part of value.
func (s *Snapshot) readVersion(d *decoder, key, value []byte, r *Record) error {
	prefix, seq, err := splitVersionKey(key)
	if err != nil {
		return err
	}
	if whole, err := d.version(value, seq, r); whole || err != nil {
		if err != nil {
			return corrupt("version %q: %w", key, err)
		}
		return nil
	}
	entry, err := s.get(entryKey(seq))
	if errors.Is(err, pebble.ErrNotFound) {
		return corrupt("entry %d of %q is missing", seq, prefix)
	}
	if err != nil {
		return err
	}
	if _, err := d.record(entry, seq, r); err != nil {
		return corrupt("entry %d: %w", seq, err)
	}
	return nil
}

// get returns a copy of a value.
func (s *Snapshot) get(key []byte) ([]byte, error) {
	v, closer, err := s.store.Get(key)
	if err != nil {
		return nil, asCorrupt(err)
	}
	return bytes.Clone(v), closer.Close()
}

// seqAt returns the first number in the snapshot whose time is not before ms.
func (s *Snapshot) seqAt(ms int64) (Seq, error) {
	if ms <= s.begin.time {
		return s.begin.seq, nil
	}
	return seqAt(s.store, s.begin.seq, s.end.seq, ms)
}

// seqAt returns the first number in [first, last] whose time is not before ms, or last+1.
func seqAt(store pebble.Reader, first, last Seq, ms int64) (Seq, error) {
	var failed error
	d := newDecoder()
	n := sort.Search(int(last-first+1), func(i int) bool {
		if failed != nil {
			return true
		}
		t, err := timeOf(store, d, first+Seq(i))
		failed = err
		return t >= ms
	})
	return first + Seq(n), failed
}

// timeOf returns the time of an entry.
func timeOf(store pebble.Reader, d *decoder, seq Seq) (int64, error) {
	v, closer, err := store.Get(entryKey(seq))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, corrupt("entry %d is missing", seq)
	}
	if err != nil {
		return 0, asCorrupt(err)
	}
	d.reset(v)
	_, ms := d.head()
	if d.err != nil {
		err = corrupt("entry %d: %w", seq, d.err)
	}
	return ms, errors.Join(err, closer.Close())
}

// pair is a key with its value, valid until the next one.
type pair struct{ key, value []byte }

// scan returns the pairs in [from, to). It ends after an error.
func (s *Snapshot) scan(from, to []byte) iter.Seq2[pair, error] { return scan(s.store, from, to) }

func scan(store pebble.Reader, from, to []byte) iter.Seq2[pair, error] {
	return func(yield func(pair, error) bool) {
		it, err := store.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
		if err != nil {
			yield(pair{}, asCorrupt(err))
			return
		}
		stopped := false
		for it.First(); it.Valid(); it.Next() {
			value, err := it.ValueAndErr()
			if err != nil {
				break // Close returns it, too
			}
			if !yield(pair{it.Key(), value}, nil) {
				stopped = true
				break
			}
		}
		if err := it.Close(); err != nil && !stopped {
			yield(pair{}, asCorrupt(err))
		}
	}
}
