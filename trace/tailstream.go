package trace

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/tinylib/msgp/msgp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TailStream is a tail that need not fit into memory. The sequences are iterated twice, first to
// count, then to write, and must yield the same elements both times. A nil sequence is empty. A
// sequence ends after an error.
type TailStream struct {
	// Index yields each entry once, sorted by FormatGVK of the kind, then by name.
	Index iter.Seq2[IndexEntry, error]
	// Lifecycles yields each pod, sorted by FormatGVK of the owner's kind, the owner's name, then the
	// pod hash. Pods that are equal in all of these keep their order.
	Lifecycles iter.Seq2[LifecycleEntry, error]
	// Extension writes the value of x-simkube, a msgpack map, which is not checked; see
	// [ExtensionStream]. If nil, there is none.
	Extension func(w io.Writer) error
}

// IndexEntry is one entry of an Index.
type IndexEntry struct {
	GVK schema.GroupVersionKind
	// Name is the object's namespaced name.
	Name string
	Hash uint64
}

// LifecycleEntry is one lifecycle of Lifecycles.
type LifecycleEntry struct {
	Owner PodOwner
	// Hash is the pod hash.
	Hash      uint64
	Lifecycle Lifecycle
}

// FinishStream is like Finish, but its tail need not fit into memory: it holds only one or two
// bytes for each owner and each of its pod hashes. The same content results in the same bytes. The
// error is an ErrUnsorted if entries are out of order, an ErrDuplicateKey if an entry is twice in
// the index, and an ErrCount if a sequence changes between the iterations. An error while counting
// leaves the Writer unchanged.
func (w *Writer) FinishStream(tail *TailStream) error {
	if err := w.checkFinish(tail.Extension != nil); err != nil {
		return err
	}
	t := tailWriter{w: w, tail: tail}
	if err := t.count(); err != nil {
		return fmt.Errorf("finish the trace: %w", err)
	}
	return w.finish(tail.Extension != nil, func() error {
		if err := t.write(); err != nil {
			return fmt.Errorf("finish the trace: %w", err)
		}
		return nil
	})
}

// tailWriter counts and writes a TailStream.
type tailWriter struct {
	w    *Writer
	tail *TailStream
	buf  []byte
	// kinds are the numbers of names of each kind in the index.
	kinds counts
	// hashes are the numbers of hashes of each owner, lifecycles the numbers of lifecycles of each
	// hash.
	hashes, lifecycles counts
}

// counts is a compact queue of numbers.
type counts struct {
	packed []byte
	n      uint32 // how many numbers were added
	open   uint32 // the last number, which is still being counted
}

// next starts the next number, at 0.
func (c *counts) next() {
	c.close()
	c.n++
}

// close ends the number that is being counted.
func (c *counts) close() {
	if c.n > 0 {
		c.packed = binary.AppendUvarint(c.packed, uint64(c.open))
		c.open = 0
	}
}

// take removes and returns the next number. It returns an error if the sequence has grown since it
// was counted.
func (c *counts) take() (uint32, error) {
	v, size := binary.Uvarint(c.packed)
	if size <= 0 {
		return 0, fmt.Errorf("more entries than were counted: %w", ErrCount)
	}
	c.packed = c.packed[size:]
	return uint32(v), nil
}

func (t *tailWriter) count() error {
	err := walkIndex(t.tail.Index,
		func(gvk schema.GroupVersionKind) error { t.kinds.next(); return checkGVK(gvk) },
		func(e *IndexEntry) error {
			t.kinds.open++
			_, err := appendString(t.buf[:0], e.Name)
			return err
		})
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	err = walkLifecycles(t.tail.Lifecycles,
		func(owner PodOwner) error { t.hashes.next(); return checkOwner(owner) },
		func(uint64) error { t.hashes.open++; t.lifecycles.next(); return nil },
		func(l Lifecycle) error { t.lifecycles.open++; return checkState(l) })
	if err != nil {
		return fmt.Errorf("lifecycles: %w", err)
	}
	for _, c := range []*counts{&t.kinds, &t.hashes, &t.lifecycles} {
		c.close()
	}
	return nil
}

func (t *tailWriter) write() error {
	t.buf = msgp.AppendMapHeader(msgp.AppendString(t.buf[:0], keyIndex), t.kinds.n)
	if err := t.index(); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	t.buf = msgp.AppendMapHeader(msgp.AppendString(t.buf, keyLifecycles), t.hashes.n)
	if err := t.lifecycleMaps(); err != nil {
		return fmt.Errorf("lifecycles: %w", err)
	}
	if t.tail.Extension != nil {
		t.buf = msgp.AppendString(t.buf, keyExtension)
	}
	if err := t.flush(0); err != nil || t.tail.Extension == nil {
		return err
	}
	out := &mapWriter{w: t.w.out}
	if err := t.tail.Extension(out); err != nil {
		return fmt.Errorf("extension: %w", err)
	}
	if !out.begun {
		return fmt.Errorf("extension: nothing was written: %w", ErrTruncated)
	}
	return nil
}

// flush writes the buffer if it holds more than some bytes.
func (t *tailWriter) flush(some int) error {
	if len(t.buf) <= some {
		return nil
	}
	err := t.w.write(t.buf)
	t.buf = t.buf[:0]
	return err
}

func (t *tailWriter) index() error {
	left := uint32(0)
	err := walkIndex(t.tail.Index,
		func(gvk schema.GroupVersionKind) (err error) {
			t.buf = msgp.AppendString(t.buf, FormatGVK(gvk))
			t.buf, err = beginMap(t.buf, &t.kinds, &left)
			return err
		},
		func(e *IndexEntry) error {
			left--
			t.buf = msgp.AppendUint64(msgp.AppendString(t.buf, e.Name), e.Hash)
			return t.flush(writerBuffer)
		})
	return errors.Join(err, checkEnded(err, left, &t.kinds))
}

func (t *tailWriter) lifecycleMaps() error {
	var hashes, left uint32
	err := walkLifecycles(t.tail.Lifecycles,
		func(owner PodOwner) (err error) {
			t.buf, err = beginMap(appendOwner(t.buf, owner), &t.hashes, &hashes)
			return err
		},
		func(hash uint64) error {
			if left > 0 || hashes == 0 {
				return fmt.Errorf("other entries than were counted: %w", ErrCount)
			}
			hashes--
			n, err := t.lifecycles.take()
			left = n
			t.buf = msgp.AppendArrayHeader(msgp.AppendUint64(t.buf, hash), n)
			return err
		},
		func(l Lifecycle) error {
			left--
			t.buf = appendLifecycle(t.buf, l)
			return t.flush(writerBuffer)
		})
	return errors.Join(err, checkEnded(err, hashes+left, &t.hashes), checkEnded(err, 0, &t.lifecycles))
}

// beginMap begins a map with as many entries as the next number says. It returns an error if the
// previous map is not complete.
func beginMap(b []byte, numbers *counts, left *uint32) ([]byte, error) {
	if *left > 0 {
		return b, fmt.Errorf("fewer entries than were counted: %w", ErrCount)
	}
	n, err := numbers.take()
	*left = n
	return msgp.AppendMapHeader(b, n), err
}

// checkEnded returns an error unless the iteration ended without one and yielded as many elements
// as were counted.
func checkEnded(err error, left uint32, numbers *counts) error {
	if err == nil && (left != 0 || len(numbers.packed) > 0) {
		return fmt.Errorf("other entries than were counted: %w", ErrCount)
	}
	return nil
}

// walkIndex calls kind for each kind, followed by entry for each of its entries, and checks the
// order.
func walkIndex(seq iter.Seq2[IndexEntry, error], kind func(schema.GroupVersionKind) error, entry func(*IndexEntry) error) error {
	if seq == nil {
		return nil
	}
	var last IndexEntry
	first := true
	for e, err := range seq {
		order := -1
		switch {
		case err != nil:
			return err
		case first:
		case last.GVK == e.GVK:
			order = cmp.Compare(last.Name, e.Name)
		default:
			order = cmp.Compare(FormatGVK(last.GVK), FormatGVK(e.GVK))
		}
		switch {
		case order == 0:
			return fmt.Errorf("duplicate %s %s: %w", FormatGVK(e.GVK), e.Name, ErrDuplicateKey)
		case order > 0:
			return fmt.Errorf("%s %s comes after %s %s: %w", FormatGVK(e.GVK), e.Name, FormatGVK(last.GVK), last.Name, ErrUnsorted)
		}
		if first || last.GVK != e.GVK {
			err = kind(e.GVK)
		}
		if err = errors.Join(err, entry(&e)); err != nil {
			return fmt.Errorf("%s %s: %w", FormatGVK(e.GVK), e.Name, err)
		}
		last, first = e, false
	}
	return nil
}

// walkLifecycles calls owner for each owner, followed by hash for each of its hashes, followed by
// lifecycle for each lifecycle, and checks the order.
func walkLifecycles(seq iter.Seq2[LifecycleEntry, error], owner func(PodOwner) error, hash func(uint64) error, lifecycle func(Lifecycle) error) error {
	if seq == nil {
		return nil
	}
	var last LifecycleEntry
	first := true
	for e, err := range seq {
		if err != nil {
			return err
		}
		order := 0
		if !first && last.Owner != e.Owner {
			order = comparePodOwners(last.Owner, e.Owner)
		} else if !first {
			order = cmp.Compare(last.Hash, e.Hash)
		}
		if order > 0 {
			return fmt.Errorf("%s %d comes after %s %d: %w", e.Owner, e.Hash, last.Owner, last.Hash, ErrUnsorted)
		}
		newOwner := first || last.Owner != e.Owner
		if newOwner {
			err = owner(e.Owner)
		}
		if err == nil && (newOwner || last.Hash != e.Hash) {
			err = hash(e.Hash)
		}
		if err = errors.Join(err, lifecycle(e.Lifecycle)); err != nil {
			return fmt.Errorf("%s: %w", e.Owner, err)
		}
		last, first = e, false
	}
	return nil
}

// mapWriter writes through to w, and fails if the first byte is not that of a map.
type mapWriter struct {
	w     io.Writer
	begun bool
}

func (m *mapWriter) Write(p []byte) (int, error) {
	if !m.begun && len(p) > 0 {
		if describe(p[0]) != "a map" {
			return 0, fmt.Errorf("want a map, got %s: %w", describe(p[0]), ErrType)
		}
		m.begun = true
	}
	return m.w.Write(p)
}
