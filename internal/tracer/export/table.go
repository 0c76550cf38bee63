package export

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"sort"
)

// table sorts keys with values. The last put of a key counts. What does not fit into memory is in
// files: first in sorted runs, and in one file once the table is sealed. The order of calls is put,
// seal, has and all; close may be called at any time.
type table struct {
	dir    string
	memory int

	recent map[string]value
	size   int // approximate size in bytes
	runs   []*os.File

	keys   []string // sealed table in memory
	sorted *os.File // sealed table in a file
	marks  []mark   // positions in it
	count  int64
}

// value is up to three numbers.
type value [3]uint64

// mark is a position in the sorted file.
type mark struct {
	key string
	at  int64
}

const (
	// entryOverhead is the approximate memory of an entry besides its key.
	entryOverhead = 96
	// markEvery is the distance of marks in the sorted file in bytes, and so how much is read to find
	// a key.
	markEvery = 16 << 10
)

func newTable(dir string, memory int) *table {
	return &table{dir: dir, memory: memory, recent: map[string]value{}}
}

func (t *table) put(key []byte, v value) error {
	before := len(t.recent)
	t.recent[string(key)] = v
	if len(t.recent) == before {
		return nil
	}
	if t.size += len(key) + entryOverhead; t.size <= t.memory {
		return nil
	}
	if err := t.spill(); err != nil {
		return fmt.Errorf("sort: %w", err)
	}
	return nil
}

// spill writes the entries in memory to a run.
func (t *table) spill() error {
	f, err := os.CreateTemp(t.dir, "run-*")
	if err != nil {
		return err
	}
	t.runs = append(t.runs, f)
	out := bufio.NewWriterSize(f, fileBuffer)
	var buf []byte
	for _, key := range slices.Sorted(maps.Keys(t.recent)) {
		buf = appendEntry(buf[:0], key, t.recent[key])
		if _, err := out.Write(buf); err != nil {
			return err
		}
	}
	clear(t.recent)
	t.size = 0
	return out.Flush()
}

// seal sorts the table. Nothing can be put into it any more.
func (t *table) seal() error {
	if len(t.runs) == 0 {
		t.keys = slices.Sorted(maps.Keys(t.recent))
		t.count = int64(len(t.keys))
		return nil
	}
	if err := t.merge(); err != nil {
		return fmt.Errorf("sort: %w", err)
	}
	return nil
}

// merge merges the runs into one sorted file.
func (t *table) merge() (err error) {
	if err := t.spill(); err != nil {
		return err
	}
	if t.sorted, err = os.CreateTemp(t.dir, "sorted-*"); err != nil {
		return err
	}
	heads := make(runHeap, 0, len(t.runs))
	for i, f := range t.runs {
		head := &runHead{age: len(t.runs) - i, entries: entryReader{in: bufio.NewReaderSize(io.NewSectionReader(f, 0, 1<<62), fileBuffer)}}
		switch err := head.entries.next(); {
		case err == nil:
			heads = append(heads, head)
		case !errors.Is(err, io.EOF):
			return err
		}
	}
	heap.Init(&heads)
	out := bufio.NewWriterSize(t.sorted, fileBuffer)
	if err := t.mergeTo(out, heads); err != nil {
		return err
	}
	for _, f := range t.runs {
		err = errors.Join(err, removeFile(f))
	}
	t.runs = nil
	return errors.Join(out.Flush(), err)
}

func (t *table) mergeTo(out io.Writer, heads runHeap) error {
	var buf, last []byte
	at, marked := int64(0), int64(-markEvery)
	for len(heads) > 0 {
		e := &heads[0].entries
		if t.count == 0 || string(last) != string(e.key) {
			last = append(last[:0], e.key...)
			if at-marked >= markEvery {
				t.marks = append(t.marks, mark{string(e.key), at})
				marked = at
			}
			buf = appendEntry(buf[:0], e.key, e.value)
			if _, err := out.Write(buf); err != nil {
				return err
			}
			at += int64(len(buf))
			t.count++
		}
		switch err := e.next(); {
		case err == nil:
			heap.Fix(&heads, 0)
		case errors.Is(err, io.EOF):
			heap.Pop(&heads)
		default:
			return err
		}
	}
	return nil
}

// has reports whether a key is in a sealed table.
func (t *table) has(key []byte) (bool, error) {
	if t.sorted == nil {
		_, ok := t.recent[string(key)]
		return ok, nil
	}
	i := sort.Search(len(t.marks), func(i int) bool { return t.marks[i].key > string(key) })
	if i == 0 {
		return false, nil
	}
	e := entryReader{in: bufio.NewReaderSize(io.NewSectionReader(t.sorted, t.marks[i-1].at, 1<<62), markEvery)}
	for {
		err := e.next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("look up in what was sorted: %w", err)
		}
		if string(e.key) >= string(key) {
			return string(e.key) == string(key), nil
		}
	}
}

// entry is a key and its value.
type entry struct {
	key   string
	value value
}

// all returns the entries of a sealed table in the order of their keys.
func (t *table) all() iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		if t.sorted == nil {
			for _, key := range t.keys {
				if !yield(entry{key, t.recent[key]}, nil) {
					return
				}
			}
			return
		}
		e := entryReader{in: bufio.NewReaderSize(io.NewSectionReader(t.sorted, 0, 1<<62), fileBuffer)}
		for {
			err := e.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(entry{}, fmt.Errorf("read what was sorted: %w", err))
				return
			}
			if !yield(entry{string(e.key), e.value}, nil) {
				return
			}
		}
	}
}

// close removes the files.
func (t *table) close() error {
	var err error
	for _, f := range t.runs {
		err = errors.Join(err, removeFile(f))
	}
	if t.sorted != nil {
		err = errors.Join(err, removeFile(t.sorted))
	}
	t.runs, t.sorted, t.recent, t.keys = nil, nil, nil, nil
	return err
}

func appendEntry[K string | []byte](b []byte, key K, v value) []byte {
	b = binary.AppendUvarint(b, uint64(len(key)))
	b = append(b, key...)
	for _, n := range v {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// entryReader reads entries from a file. The key is valid until the next.
type entryReader struct {
	in    *bufio.Reader
	key   []byte
	value value
}

// next reads an entry; io.EOF is the end.
func (e *entryReader) next() error {
	size, err := binary.ReadUvarint(e.in)
	if err != nil {
		return err
	}
	e.key = slices.Grow(e.key[:0], int(size))[:size]
	if _, err := io.ReadFull(e.in, e.key); err != nil {
		return unexpected(err)
	}
	for i := range e.value {
		if e.value[i], err = binary.ReadUvarint(e.in); err != nil {
			return unexpected(err)
		}
	}
	return nil
}

// unexpected returns the error for an end of file within an entry.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// runHead is the next entry of a run. Of two runs, the younger has the lower age.
type runHead struct {
	entries entryReader
	age     int
}

// runHeap is a heap with the smallest key first, and for equal keys the youngest run.
type runHeap []*runHead

func (h runHeap) Len() int { return len(h) }

func (h runHeap) Less(i, j int) bool {
	if a, b := string(h[i].entries.key), string(h[j].entries.key); a != b {
		return a < b
	}
	return h[i].age < h[j].age
}

func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements [heap.Interface].
func (h *runHeap) Push(x any) { *h = append(*h, x.(*runHead)) }

// Pop implements [heap.Interface].
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
