package log

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Check reads all of the log in a directory and returns an error if it is damaged: see
// [Snapshot.Check]. The log must not be open. Other errors are those of Open. It changes nothing.
func Check(ctx context.Context, dir string) error {
	if err := check(ctx, vfs.Default, dir); err != nil {
		return fmt.Errorf("check event log %s: %w", dir, err)
	}
	return nil
}

func check(ctx context.Context, fsys vfs.FS, dir string) error {
	d, err := lockDirectory(fsys, dir, false)
	if err != nil {
		return err
	}
	db, err := openStore(fsys, d.store(), true, true, slog.New(slog.DiscardHandler))
	if err != nil {
		return errors.Join(err, d.release())
	}
	s := &Snapshot{store: db.NewSnapshot()}
	s.begin, s.end, err = readBounds(s.store)
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		err = errNoBounds
	case err == nil:
		err = s.Check(ctx)
	}
	return errors.Join(asCorrupt(err), s.store.Close(), db.Close(), d.release())
}

// Check reads all of the log and returns a *CorruptError if it is damaged. It checks that
// everything can be read, that entries are numbered without gaps and sorted by time, that each
// change has its version and each version its entry, and that pods can be found by all of their
// keys. If ctx ends, the error is its cause.
func (s *Snapshot) Check(ctx context.Context) error {
	c := &checker{s: s, d: newDecoder()}
	n := 0
	for kv, err := range s.scan(nil, nil) {
		if err == nil {
			err = c.check(kv)
		}
		if n++; err == nil && n%1024 == 0 {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
	return c.checkTotals()
}

type checker struct {
	s *Snapshot
	d *decoder

	entries, changes, pointers uint64
	live, undeleted            int
	// time is that of the previous entry.
	time int64
}

func (c *checker) check(kv pair) error {
	switch space(kv.key[0]) {
	case deletedPodSpace:
		return c.deletedPod(kv)
	case entrySpace:
		return c.entry(kv)
	case gapSpace:
		_, err := readGap(c.d, kv)
		return err
	case livePodSpace:
		c.live++
		return nil
	case nodeSpace:
		return c.node(kv)
	case podSpace:
		return c.pod(kv)
	case versionSpace:
		return c.version(kv)
	}
	if bytes.Equal(kv.key, beginKey()) || bytes.Equal(kv.key, endKey()) {
		return nil
	}
	return corrupt("unknown key %q", kv.key)
}

func (c *checker) entry(kv pair) error {
	seq := c.s.begin.seq + Seq(c.entries)
	if !bytes.Equal(kv.key, entryKey(seq)) {
		return corrupt("got entry %q in place of entry %d", kv.key, seq)
	}
	var r Record
	change, err := c.d.record(kv.value, seq, &r)
	if err != nil {
		return corrupt("entry %d: %w", seq, err)
	}
	if r.Time < max(c.time, c.s.begin.time) {
		return corrupt("entry %d has time %d, which is before the previous entry or the beginning", seq, r.Time)
	}
	c.time = r.Time
	c.entries++
	if change {
		c.changes++
	}
	return nil
}

func (c *checker) version(kv pair) error {
	prefix, seq, err := splitVersionKey(kv.key)
	if err != nil {
		return err
	}
	var r Record
	whole, err := c.d.version(kv.value, seq, &r)
	if err != nil {
		return corrupt("version %q: %w", kv.key, err)
	}
	if whole != (seq == flattened) {
		return corrupt("version %q has the wrong form", kv.key)
	}
	if whole {
		if r.Op != Applied || r.Seq >= c.s.begin.seq || r.Time >= c.s.begin.time {
			return corrupt("version %q has entry %d, which is not before the beginning", kv.key, r.Seq)
		}
	} else {
		c.pointers++
		pointer := r
		if err := c.s.readVersion(c.d, kv.key, kv.value, &r); err != nil {
			return err
		}
		if r.Op != pointer.Op || r.Hash != pointer.Hash || r.UID != pointer.UID || r.Time != pointer.Time {
			return corrupt("version %q differs from its entry", kv.key)
		}
	}
	if !bytes.Equal(appendVersionPrefix(nil, r.Key), prefix) {
		return corrupt("version %q has an entry of another object, %q", kv.key, r.Key.Name)
	}
	return nil
}

func (c *checker) pod(kv pair) error {
	p, seq, err := readPod(c.d, kv)
	if err != nil {
		return err
	}
	if err := c.checkType(seq, podEntry); err != nil {
		return fmt.Errorf("pod %q: %w", p.UID, err)
	}
	if p.Deleted == 0 {
		c.undeleted++
		return c.checkKey(appendTimeKey(nil, livePodSpace, p.Created, p.UID))
	}
	return c.checkKey(appendDeletedKey(nil, p))
}

func (c *checker) deletedPod(kv pair) error {
	if len(kv.key) <= 1+2*numberLen {
		return corrupt("key %q is too short", kv.key)
	}
	return nil
}

func (c *checker) node(kv pair) error {
	n, seq, err := readNode(c.d, kv)
	if err != nil {
		return err
	}
	if err := c.checkType(seq, nodeEntry); err != nil {
		return fmt.Errorf("node %q: %w", n.UID, err)
	}
	return nil
}

// checkType checks the type of an entry, unless it is before the beginning.
func (c *checker) checkType(seq Seq, want entryType) error {
	if seq < c.s.begin.seq {
		return nil
	}
	v, err := c.s.get(entryKey(seq))
	if errors.Is(err, pebble.ErrNotFound) {
		return corrupt("entry %d is missing", seq)
	}
	if err != nil {
		return err
	}
	c.d.reset(v)
	if got, _ := c.d.head(); got != want {
		return corrupt("entry %d is of type %d, want %d", seq, got, want)
	}
	return nil
}

func (c *checker) checkKey(key []byte) error {
	_, err := c.s.get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return corrupt("key %q is missing", key)
	}
	return err
}

func (c *checker) checkTotals() error {
	switch {
	case c.s.begin.seq+Seq(c.entries) != c.s.end.seq+1:
		return corrupt("got %d entries from %d on, want them up to %d", c.entries, c.s.begin.seq, c.s.end.seq)
	case c.time > c.s.end.time:
		return corrupt("the last entry has time %d, want %d", c.time, c.s.end.time)
	case c.changes != c.s.end.changes-c.s.begin.changes:
		return corrupt("got %d changes, want %d", c.changes, c.s.end.changes-c.s.begin.changes)
	case c.changes != c.pointers:
		return corrupt("%d changes have %d versions", c.changes, c.pointers)
	case c.live != c.undeleted:
		return corrupt("got keys of %d live pods, and %d live pods", c.live, c.undeleted)
	}
	return nil
}
