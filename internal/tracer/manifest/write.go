package manifest

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/tinylib/msgp/msgp"
)

// writer converts JSON to canonical msgpack: values are encoded as by the writer of traces, and
// maps are sorted by key. It reuses its buffers.
type writer struct {
	scanner
	tokens tokenizer
	out    []byte
	// entries is a stack of the entries written so far of the maps around pos.
	entries []entry
	// sorted is a buffer for sorting entries.
	sorted []byte
}

// entry is a map entry in out: [start, end), with the text of its key in [key, keyEnd).
type entry struct {
	start, key, keyEnd, end int
	// rank takes precedence over the key in the order of entries.
	rank int
}

// reset prepares the writer for other input.
func (w *writer) reset(data []byte) {
	w.data, w.pos = data, 0
	w.out = w.out[:0]
	w.entries = w.entries[:0]
}

// value writes a value. depth is the number of maps and arrays around it.
func (w *writer) value(p *plan, depth int) *Error {
	c := w.peek()
	if p != nil && c != 'n' {
		if f := p.form(c); f != formNone {
			return w.redacted(f, depth)
		}
	}
	switch c {
	case '"':
		text, err := w.string()
		if err == nil {
			w.out = msgp.AppendStringFromBytes(w.out, text)
		}
		return err
	case '{':
		return w.object(p, depth)
	case '[':
		return w.array(p, depth)
	case 't':
		w.out = append(w.out, msgpackTrue)
		return w.literal("true")
	case 'f':
		w.out = append(w.out, msgpackFalse)
		return w.literal("false")
	case 'n':
		w.out = append(w.out, msgpackNil)
		return w.literal("null")
	}
	n, err := w.number()
	switch {
	case err != nil:
		return err
	case n.isFloat:
		w.out = msgp.AppendFloat64(w.out, n.float)
	case n.int < 0:
		w.out = msgp.AppendInt64(w.out, n.int)
	default:
		w.out = msgp.AppendUint64(w.out, uint64(n.int))
	}
	return nil
}

// Bytes of the msgpack format.
const (
	msgpackNil     = 0xc0
	msgpackFalse   = 0xc2
	msgpackTrue    = 0xc3
	msgpackMap     = 0x80 // and the number of entries
	msgpackMap16   = 0xde
	msgpackMap32   = 0xdf
	msgpackArray   = 0x90 // and the number of elements
	msgpackArray16 = 0xdc
	msgpackArray32 = 0xdd
)

func (w *writer) array(p *plan, depth int) *Error {
	if depth >= maxDepth {
		return w.tooDeep()
	}
	w.pos++
	head := len(w.out)
	w.out = append(w.out, msgpackArray)
	n := 0
	for {
		more, err := w.element(n == 0)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if err = w.value(p.element(n), depth+1); err != nil {
			return err
		}
		n++
	}
	w.header(head, n, msgpackArray, msgpackArray16, msgpackArray32)
	return nil
}

// header writes the number of entries or elements at a byte that was reserved for it. It inserts
// bytes if one is not enough.
func (w *writer) header(at, n int, small, wide, wider byte) {
	switch {
	case n < 16:
		w.out[at] = small + byte(n)
	case n < 1<<16:
		w.out[at] = wide
		w.out = slices.Insert(w.out, at+1, 0, 0)
		binary.BigEndian.PutUint16(w.out[at+1:], uint16(n))
	default:
		w.out[at] = wider
		w.out = slices.Insert(w.out, at+1, 0, 0, 0, 0)
		binary.BigEndian.PutUint32(w.out[at+1:], uint32(n))
	}
}

func (w *writer) object(p *plan, depth int) *Error {
	m, err := w.startMap(depth)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := w.key(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		at := p.at(key)
		if at != nil && at.drop {
			if err := w.skip(depth + 1); err != nil {
				return err
			}
			continue
		}
		m.key(w, key)
		if err := w.value(at, depth+1); err != nil {
			return err
		}
		m.done(w)
	}
	m.end(w)
	return nil
}

type mapWriter struct {
	head, base int
	unsorted   bool
	next       entry
}

// startMap moves into a map, and begins to write one.
func (w *writer) startMap(depth int) (mapWriter, *Error) {
	if depth >= maxDepth {
		return mapWriter{}, w.tooDeep()
	}
	if err := w.open('{', "an object"); err != nil {
		return mapWriter{}, err
	}
	return w.newMap(), nil
}

func (w *writer) newMap() mapWriter {
	m := mapWriter{head: len(w.out), base: len(w.entries)}
	w.out = append(w.out, msgpackMap)
	return m
}

// key begins an entry.
func (m *mapWriter) key(w *writer, key []byte) {
	m.next = entry{start: len(w.out)}
	w.out = msgp.AppendStringFromBytes(w.out, key)
	m.next.keyEnd = len(w.out)
	m.next.key = m.next.keyEnd - len(key)
}

// done ends the entry that key began.
func (m *mapWriter) done(w *writer) {
	m.next.end = len(w.out)
	if n := len(w.entries); n > m.base && !m.unsorted {
		m.unsorted = w.compare(&w.entries[n-1], &m.next) >= 0
	}
	w.entries = append(w.entries, m.next)
}

// cut removes the entry that key began, and returns its value, which is valid until the next write.
func (m *mapWriter) cut(w *writer) []byte {
	value := w.out[m.next.keyEnd:]
	w.out = w.out[:m.next.start]
	return value
}

// end sorts the entries, and writes their number.
func (m *mapWriter) end(w *writer) {
	entries := w.entries[m.base:]
	n := len(entries)
	if m.unsorted {
		n = w.sort(entries)
	}
	w.entries = w.entries[:m.base]
	w.header(m.head, n, msgpackMap, msgpackMap16, msgpackMap32)
}

func (w *writer) compare(a, b *entry) int {
	if a.rank != b.rank {
		return a.rank - b.rank
	}
	return bytes.Compare(w.out[a.key:a.keyEnd], w.out[b.key:b.keyEnd])
}

// manyEntries is the number of entries from which insertion sort is too slow.
const manyEntries = 24

// sort sorts entries, which must be the last ones in out. Of those with the same key, it keeps the
// last. It returns the number of entries left.
func (w *writer) sort(entries []entry) int {
	start := entries[0].start
	if len(entries) < manyEntries {
		for i := 1; i < len(entries); i++ {
			for j := i; j > 0 && w.compare(&entries[j-1], &entries[j]) > 0; j-- {
				entries[j-1], entries[j] = entries[j], entries[j-1]
			}
		}
	} else {
		slices.SortStableFunc(entries, func(a, b entry) int { return w.compare(&a, &b) })
	}
	w.sorted = w.sorted[:0]
	n := 0
	for i := range entries {
		e := &entries[i]
		if i+1 < len(entries) && w.compare(e, &entries[i+1]) == 0 {
			continue
		}
		w.sorted = append(w.sorted, w.out[e.start:e.end]...)
		n++
	}
	w.out = append(w.out[:start], w.sorted...)
	return n
}
