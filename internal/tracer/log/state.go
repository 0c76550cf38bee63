package log

import (
	"bytes"
	"errors"
	"io"

	"github.com/cockroachdb/pebble/v2"
)

// stepsBeforeSeek is how many versions of an object are gone through one by one before those left are jumped over: a seek reads a block of
// every level of the store.
const stepsBeforeSeek = 32

// walker goes through the objects by their versions.
type walker struct {
	it    *pebble.Iterator
	bound Seq
	// key and value are the version found last.
	key, value      []byte
	prefix, seekKey []byte
}

func (s *Snapshot) newWalker(bound Seq) (*walker, error) {
	it, err := s.store.NewIter(&pebble.IterOptions{LowerBound: versionSpace.first(), UpperBound: versionSpace.end()})
	if err != nil {
		return nil, typed(err)
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
	return false, typed(w.it.Error())
}

// object leaves the object whose first version the iterator is at, having found its last version before the bound.
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
				return false, typed(w.it.Error())
			}
			if err := w.keep(); err != nil {
				return false, err
			}
			break
		}
		if err := w.keep(); err != nil {
			return false, err
		}
		var same bool
		if same, seq, err = w.step(); !same || err != nil {
			return true, err
		}
	}
	// What is left of the object came later.
	for range stepsBeforeSeek {
		if same, _, err := w.step(); !same || err != nil {
			return found, err
		}
	}
	w.seekKey = afterVersions(append(w.seekKey[:0], w.prefix...))
	w.it.SeekGE(w.seekKey)
	return found, nil
}

// step goes to the next version, and says whether it is of the same object.
func (w *walker) step() (same bool, seq Seq, err error) {
	if !w.it.Next() {
		return false, 0, typed(w.it.Error())
	}
	prefix, seq, err := splitVersionKey(w.it.Key())
	return bytes.Equal(prefix, w.prefix), seq, err
}

func (w *walker) keep() error {
	v, err := w.it.ValueAndErr()
	if err != nil {
		return typed(err)
	}
	w.key, w.value = append(w.key[:0], w.it.Key()...), append(w.value[:0], v...)
	return nil
}

func (w *walker) close() error { return typed(w.it.Close()) }

// state gives the objects whose last version before the bound is an applied one. With entries the records are complete.
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
	// A damaged block is told of by the iterators once more; the first to tell is enough.
	for _, closing := range []error{w.close(), reader.close()} {
		if err == nil {
			err = closing
		}
	}
	if err != nil && !stopped {
		fail(err)
	}
}

// entryReader reads entries by number. It gets each: an iterator would read a block of every level of the store for one of them.
type entryReader struct {
	store  *pebble.Snapshot
	d      *decoder
	key    []byte
	closer io.Closer
}

func (s *Snapshot) newEntryReader() *entryReader {
	return &entryReader{store: s.store, d: newDecoder()}
}

// close lets go of what was read last.
func (e *entryReader) close() error {
	if e.closer == nil {
		return nil
	}
	err := e.closer.Close()
	e.closer = nil
	return err
}

// object reads a version into r, with its entry if that is wanted and not in the version.
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

// read reads the entry of a change of the object with a prefix. What was read before it is not valid any more.
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
		return typed(err)
	}
	e.closer = closer
	change, err := e.d.record(v, seq, r)
	if err == nil && !change {
		err = errors.New("is not of a change")
	}
	if err != nil {
		return corrupt("entry %d: %w", seq, err)
	}
	return nil
}
