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

// TailStream is a tail that need not fit into memory. The sequences are walked twice, first to count, then to write, and must give the same
// both times; nil ones are empty. An error is the last thing a sequence gives.
type TailStream struct {
	// Index gives each entry once, sorted by FormatGVK of the kind, then by name.
	Index iter.Seq2[IndexEntry, error]
	// Lifecycles gives each pod, sorted by FormatGVK of the owner's kind, the owner's name, then the pod hash. What has all of these in common
	// stays in the order it is given.
	Lifecycles iter.Seq2[LifecycleEntry, error]
	// Extension writes the value of x-simkube, a msgpack map, which is not checked; see [ExtensionStream]. Nil: there is none.
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

// FinishStream is Finish with a tail that need not fit into memory: for each owner and each of its pod hashes it holds a byte or two. The same
// content gives the same bytes. Entries out of order are an ErrUnsorted, an entry that is twice in the index an ErrDuplicateKey, and sequences that
// change between the walks an ErrCount. What goes wrong while counting leaves the Writer as it was.
func (w *Writer) FinishStream(tail *TailStream) error {
	if err := w.finishable(tail.Extension != nil); err != nil {
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
	// hashes are the numbers of hashes of each owner, lifecycles those of lifecycles of each hash.
	hashes, lifecycles counts
}

// counts are numbers, packed, that are read in the order in which they were added.
type counts struct {
	packed []byte
	n      uint32 // numbers added
	open   uint32 // the last of them, which is still being counted
}

// next begins another number, at 0.
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

// take gives the next number. There is none when the sequence has grown since it was counted.
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

// flush writes what has been collected, if it is more than some.
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
			t.buf, err = mapOf(t.buf, &t.kinds, &left)
			return err
		},
		func(e *IndexEntry) error {
			left--
			t.buf = msgp.AppendUint64(msgp.AppendString(t.buf, e.Name), e.Hash)
			return t.flush(writerBuffer)
		})
	return errors.Join(err, ended(err, left, &t.kinds))
}

func (t *tailWriter) lifecycleMaps() error {
	var hashes, left uint32
	err := walkLifecycles(t.tail.Lifecycles,
		func(owner PodOwner) (err error) {
			t.buf, err = mapOf(appendOwner(t.buf, owner), &t.hashes, &hashes)
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
	return errors.Join(err, ended(err, hashes+left, &t.hashes), ended(err, 0, &t.lifecycles))
}

// mapOf begins a map of as many entries as the next of the numbers says, once the one before has all of its own.
func mapOf(b []byte, numbers *counts, left *uint32) ([]byte, error) {
	if *left > 0 {
		return b, fmt.Errorf("fewer entries than were counted: %w", ErrCount)
	}
	n, err := numbers.take()
	*left = n
	return msgp.AppendMapHeader(b, n), err
}

// ended tells whether a walk without an error was the counted one to its end.
func ended(err error, left uint32, numbers *counts) error {
	if err == nil && (left != 0 || len(numbers.packed) > 0) {
		return fmt.Errorf("other entries than were counted: %w", ErrCount)
	}
	return nil
}

// walkIndex gives each kind, followed by its entries, and checks the order.
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
			return fmt.Errorf("%s %s is there twice: %w", FormatGVK(e.GVK), e.Name, ErrDuplicateKey)
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

// walkLifecycles gives each owner, followed by each of its hashes, each followed by its lifecycles, and checks the order.
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

// mapWriter passes on what begins as a map does.
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
