package export

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// batch collects the objects of an event. Their bytes are in memory up to a limit, and in a file
// beyond it.
type batch struct {
	dir    string
	memory int
	parser trace.ObjectParser

	buf  []byte   // the bytes of applied objects, in order
	file *os.File // the first of these bytes, or nil
	size int64    // bytes in the file

	objects []appliedObject
	removed []deletedObject
	// keys are the keys of the applied and deleted objects.
	keys map[log.Key]bool
}

type appliedObject struct {
	size   uint32
	millis uint16
}

type deletedObject struct {
	key    log.Key
	millis uint16
}

// maxKeys is the maximum size of a map of keys that is reused.
const maxKeys = 1 << 14

func newBatch(dir string, memory int) *batch {
	return &batch{dir: dir, memory: memory, keys: map[log.Key]bool{}}
}

func (b *batch) empty() bool { return len(b.objects)+len(b.removed) == 0 }

func (b *batch) counts() (applied, deleted int) { return len(b.objects), len(b.removed) }

// has reports whether the event has an operation on an object, so that the object cannot be applied
// in it any more.
func (b *batch) has(key log.Key) bool { return b.keys[key] }

// apply adds an object that the event does not have, and for which it will have no other operation.
func (b *batch) apply(raw []byte, millis uint16) error {
	b.buf = append(b.buf, raw...)
	b.objects = append(b.objects, appliedObject{size: uint32(len(raw)), millis: millis})
	if len(b.buf) <= b.memory {
		return nil
	}
	return b.spill()
}

// applyKey adds an object that the event does not have.
func (b *batch) applyKey(key log.Key, raw []byte, millis uint16) error {
	b.keys[key] = true
	return b.apply(raw, millis)
}

// delete adds the deletion of an object, which may have been applied.
func (b *batch) delete(key log.Key, millis uint16) {
	b.keys[key] = true
	b.removed = append(b.removed, deletedObject{key, millis})
}

func (b *batch) spill() (err error) {
	if b.file == nil {
		if b.file, err = os.CreateTemp(b.dir, "event-*"); err != nil {
			return fmt.Errorf("spool an event: %w", err)
		}
	}
	if _, err := b.file.Write(b.buf); err != nil {
		return fmt.Errorf("spool an event: %w", err)
	}
	b.size += int64(len(b.buf))
	b.buf = b.buf[:0]
	return nil
}

// applied returns the applied objects, each valid until the next.
func (b *batch) applied() iter.Seq2[*trace.Object, error] {
	return func(yield func(*trace.Object, error) bool) {
		if b.file != nil {
			if err := b.spill(); err != nil {
				yield(nil, err)
				return
			}
		}
		next := b.reader()
		for _, o := range b.objects {
			raw, err := next(int(o.size))
			if err != nil {
				yield(nil, fmt.Errorf("read a spooled event: %w", err))
				return
			}
			obj, err := b.parser.Parse(raw)
			if !yield(&obj, err) || err != nil {
				return
			}
		}
	}
}

// reader returns the bytes of one object after the other.
func (b *batch) reader() func(size int) ([]byte, error) {
	if b.file == nil {
		rest := b.buf
		return func(size int) ([]byte, error) {
			raw := rest[:size:size]
			rest = rest[size:]
			return raw, nil
		}
	}
	in := bufio.NewReaderSize(io.NewSectionReader(b.file, 0, b.size), fileBuffer)
	var buf []byte
	return func(size int) ([]byte, error) {
		if cap(buf) < size {
			buf = make([]byte, size)
		}
		_, err := io.ReadFull(in, buf[:size])
		return buf[:size:size], err
	}
}

// fileBuffer is the size of reads and writes of a temporary file.
const fileBuffer = 64 << 10

// deleted returns the deleted objects.
func (b *batch) deleted() iter.Seq2[*trace.Object, error] {
	return func(yield func(*trace.Object, error) bool) {
		for _, o := range b.removed {
			obj, err := trace.NewDeleted(o.key.GVK, o.key.Name)
			if !yield(&obj, err) || err != nil {
				return
			}
		}
	}
}

// eachMillis returns the times, in milliseconds, of the applied objects and then of the deleted
// ones.
func (b *batch) eachMillis(yield func(uint16)) {
	for _, o := range b.objects {
		yield(o.millis)
	}
	for _, o := range b.removed {
		yield(o.millis)
	}
}

// reset empties the batch.
func (b *batch) reset() error {
	b.buf, b.objects, b.removed = b.buf[:0], b.objects[:0], b.removed[:0]
	if len(b.keys) > maxKeys {
		b.keys = map[log.Key]bool{}
	} else {
		clear(b.keys)
	}
	if b.file != nil {
		b.objects = nil
	}
	return b.close()
}

// close removes the file.
func (b *batch) close() error {
	if b.file == nil {
		return nil
	}
	f := b.file
	b.file, b.size = nil, 0
	return removeFile(f)
}

func removeFile(f *os.File) error {
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("remove a temporary file: %w", err)
	}
	return nil
}
