package log

import (
	"bytes"
	"errors"
	"io"

	"github.com/cockroachdb/pebble/v2"
)

// stepsBeforeSeek is how many versions of an object are iterated over before the rest is skipped by
// a seek, which reads a block of every level of the store.
const stepsBeforeSeek = 32

// walker iterates over the objects by their versions.
type walker struct {
	it    *pebble.Iterator
	bound Seq
	// key and value are the last version found.
	key, value      []byte
	prefix, seekKey []byte
}

func (s *Snapshot) newWalker(bound Seq) (*walker, error) {
	it, err := s.store.NewIter(&pebble.IterOptions{LowerBound: versionSpace.first(), UpperBound: versionSpace.end()})
	if err != nil {
		return nil, asCorrupt(err)
	}
	it.First()
	return &walker{it: it, bound: bound}, nil
}

// next finds the last version before the bound of the next object that has one.
func (w *walker) next() (bool, error) {
	for w.it.Valid() {
		found, err := w.object()
		if found || err != nil {
			return found, err
		}
	}
	return false, asCorrupt(w.it.Error())
}

// object finds the last version before the bound of the object whose first version the iterator is
// at, and moves to the next object.
func (w *walker) object() (found bool, err error) {
	prefix, seq, err := splitVersionKey(w.it.Key())
	if err != nil {
		return false, err
	}
	w.prefix = append(w.prefix[:0], prefix...)
	for step := 0; seq < w.bound; step++ {
		found = true
		if step == stepsBeforeSeek {
			w.seekKey = appendNumber(append(w.seekKey[:0], w.prefix...), uint64(w.bound))
			if !w.it.SeekLT(w.seekKey) {
				return false, asCorrupt(w.it.Error())
			}
			if err := w.save(); err != nil {
				return false, err
			}
			break
		}
		if err := w.save(); err != nil {
			return false, err
		}
		var same bool
		if same, seq, err = w.step(); !same || err != nil {
			return true, err
		}
	}
	// The other versions of the object are after the bound.
	for range stepsBeforeSeek {
		if same, _, err := w.step(); !same || err != nil {
			return found, err
		}
	}
	w.seekKey = afterVersions(append(w.seekKey[:0], w.prefix...))
	w.it.SeekGE(w.seekKey)
	return found, nil
}

// step moves to the next version, and reports whether it is of the same object.
func (w *walker) step() (same bool, seq Seq, err error) {
	if !w.it.Next() {
		return false, 0, asCorrupt(w.it.Error())
	}
	prefix, seq, err := splitVersionKey(w.it.Key())
	return bytes.Equal(prefix, w.prefix), seq, err
}

func (w *walker) save() error {
	v, err := w.it.ValueAndErr()
	if err != nil {
		return asCorrupt(err)
	}
	w.key, w.value = append(w.key[:0], w.it.Key()...), append(w.value[:0], v...)
	return nil
}

func (w *walker) close() error { return asCorrupt(w.it.Close()) }

// state returns the objects whose last version before the bound is an applied one. The records are
// complete if entries is set.
func (s *Snapshot) state(bound Seq, entries bool, yield func(*Record, error) bool) {
	fail := func(err error) { yield(nil, err) }
	w, err := s.newWalker(bound)
	if err != nil {
		fail(err)
		return
	}
	reader := s.newEntryReader()
	var r Record
	stopped := false
	for {
		var found bool
		if found, err = w.next(); !found || err != nil {
			break
		}
		if versionOp(w.value) != Applied {
			continue
		}
		if err = reader.object(w.key, w.value, entries, &r); err != nil {
			break
		}
		if stopped = !yield(&r, nil); stopped {
			break
		}
	}
	// The iterators report a damaged block once more; the first error is enough.
	for _, closing := range []error{w.close(), reader.close()} {
		if err == nil {
			err = closing
		}
	}
	if err != nil && !stopped {
		fail(err)
	}
}

// entryReader reads entries by number. It uses Get, because an iterator would read a block of every
// level of the store for a single entry.
type entryReader struct {
	store  *pebble.Snapshot
	d      *decoder
	key    []byte
	closer io.Closer
}

func (s *Snapshot) newEntryReader() *entryReader {
	return &entryReader{store: s.store, d: newDecoder()}
}

// close releases what was read last.
func (e *entryReader) close() error {
	if e.closer == nil {
		return nil
	}
	err := e.closer.Close()
	e.closer = nil
	return err
}

// object reads a version into r, with its entry if entries is set and the version does not include
// it.
func (e *entryReader) object(key, value []byte, entries bool, r *Record) error {
	prefix, seq, err := splitVersionKey(key)
	if err != nil {
		return err
	}
	whole, err := e.d.version(value, seq, r)
	if err != nil {
		return corrupt("version %q: %w", key, err)
	}
	if whole {
		return nil
	}
	if !entries {
		kind, name, err := splitPrefix(prefix)
		if err != nil {
			return err
		}
		r.Key = Key{GVK: e.d.parseKind([]byte(kind)), Name: name}
		if e.d.err != nil {
			return corrupt("version %q: %w", key, e.d.err)
		}
		return nil
	}
	return e.read(seq, prefix, r)
}

// read reads the entry of a change of the object with the prefix. It invalidates the result of the
// previous read.
func (e *entryReader) read(seq Seq, prefix []byte, r *Record) error {
	if err := e.close(); err != nil {
		return err
	}
	e.key = appendSeqKey(e.key[:0], entrySpace, seq)
	v, closer, err := e.store.Get(e.key)
	if errors.Is(err, pebble.ErrNotFound) {
		return corrupt("entry %d of %q is missing", seq, prefix)
	}
	if err != nil {
		return asCorrupt(err)
	}
	e.closer = closer
	change, err := e.d.record(v, seq, r)
	if err == nil && !change {
		err = errors.New("is not a change")
	}
	if err != nil {
		return corrupt("entry %d: %w", seq, err)
	}
	return nil
}
