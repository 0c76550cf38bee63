package trace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// scanner checks msgpack while it reads it. Untrusted bytes are only handled here: all other code
// can rely on the bytes of an object.
type scanner struct {
	input
	// keys is a stack of the keys of the maps around pos. It is used to find duplicates of keys that
	// are not sorted.
	keys []piece
	// canonical is true while all values are encoded as a Writer would encode them.
	canonical bool
}

// fail returns an error for the value at pos.
func (s *scanner) fail(pos int, class error, format string, args ...any) *FormatError {
	return &FormatError{Offset: s.offset(pos), Msg: fmt.Sprintf(format, args...), Err: class}
}

// want returns an error for a value at pos that has the wrong type.
func (s *scanner) want(what string, pos int) *FormatError {
	return s.fail(pos, ErrType, "want %s, got %s", what, describe(s.buf[pos]))
}

// need ensures that n bytes are available.
func (s *scanner) need(n int) *FormatError {
	if len(s.buf)-s.pos >= n || s.fill(n) {
		return nil
	}
	end := len(s.buf)
	if !s.truncated() {
		return &FormatError{Offset: s.offset(end), Msg: s.err.Error(), Err: &sourceError{s.err}}
	}
	return s.fail(end, ErrTruncated, "the trace ends here, but at least %d more bytes are required", s.pos+n-end)
}

// sourceError marks an error of the source, as opposed to the format.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }

// peek returns the first byte of the next value.
func (s *scanner) peek() (byte, *FormatError) {
	if err := s.need(1); err != nil {
		return 0, err
	}
	return s.buf[s.pos], nil
}

// length reads the first byte of a value and the n bytes of length after it. short is the smallest
// length whose canonical encoding takes n bytes.
func (s *scanner) length(n int, short uint32) (int, *FormatError) {
	if err := s.need(1 + n); err != nil {
		return 0, err
	}
	var v uint32
	switch b := s.buf[s.pos+1:]; n {
	case 1:
		v = uint32(b[0])
	case 2:
		v = uint32(binary.BigEndian.Uint16(b))
	default:
		v = binary.BigEndian.Uint32(b)
	}
	if v < short {
		s.canonical = false
	}
	s.pos += 1 + n
	return int(v), nil
}

// mapHeader reads the header of a map and returns its number of entries.
func (s *scanner) mapHeader() (int, *FormatError) {
	if s.pos < len(s.buf) && s.buf[s.pos]&0xf0 == mFixMap { // the usual case
		s.pos++
		return int(s.buf[s.pos-1] & 0x0f), nil
	}
	c, err := s.peek()
	switch {
	case err != nil:
		return 0, err
	case c&0xf0 == mFixMap:
		s.pos++
		return int(c & 0x0f), nil
	case c == mMap16:
		return s.length(2, 16)
	case c == mMap32:
		return s.length(4, 1<<16)
	}
	return 0, s.want("a map", s.pos)
}

// arrayHeader reads the header of an array and returns its number of elements.
func (s *scanner) arrayHeader() (int, *FormatError) {
	if s.pos < len(s.buf) && s.buf[s.pos]&0xf0 == mFixArray {
		s.pos++
		return int(s.buf[s.pos-1] & 0x0f), nil
	}
	c, err := s.peek()
	switch {
	case err != nil:
		return 0, err
	case c&0xf0 == mFixArray:
		s.pos++
		return int(c & 0x0f), nil
	case c == mArray16:
		return s.length(2, 16)
	case c == mArray32:
		return s.length(4, 1<<16)
	}
	return 0, s.want("an array", s.pos)
}

// str reads a string and returns the position of its bytes.
func (s *scanner) str(what string) (start, end int, err *FormatError) {
	head := s.pos
	if head < len(s.buf) { // almost every string is short and already in the window
		if c := s.buf[head]; c >= mFixStr && c < mFixStrEnd {
			start, end = head+1, head+1+int(c-mFixStr)
			if end <= len(s.buf) && validUTF8(s.buf[start:end]) {
				s.pos = end
				return start, end, nil
			}
		}
	}
	if err := s.need(1); err != nil {
		return 0, 0, err
	}
	var n int
	switch c := s.buf[head]; {
	case c >= mFixStr && c < mFixStrEnd:
		n = int(c - mFixStr)
		s.pos++
	case c == mStr8:
		n, err = s.length(1, 32)
	case c == mStr16:
		n, err = s.length(2, 1<<8)
	case c == mStr32:
		n, err = s.length(4, 1<<16)
	default:
		return 0, 0, s.want(what, head)
	}
	if err != nil {
		return 0, 0, err
	}
	if err := s.need(n); err != nil {
		return 0, 0, err
	}
	start, end = s.pos, s.pos+n
	if !validUTF8(s.buf[start:end]) {
		return 0, 0, s.fail(head, ErrValue, "the string is not valid UTF-8")
	}
	s.pos = end
	return start, end, nil
}

// text reads a string into a Go string.
func (s *scanner) text() (string, *FormatError) {
	start, end, err := s.str("a string")
	if err != nil {
		return "", err
	}
	return string(s.buf[start:end]), nil
}

// number reads an integer of any width and returns its two's complement. negative reports how to
// interpret it.
func (s *scanner) number() (v uint64, negative bool, err *FormatError) {
	c, err := s.peek()
	if err != nil {
		return 0, false, err
	}
	if c < mFixMap || c >= mNegFix {
		s.pos++
		return uint64(int64(int8(c))), c >= mNegFix, nil
	}
	if c < mUint8 || c > mInt64 {
		return 0, false, s.want("an integer", s.pos)
	}
	n := 1 << ((c - mUint8) & 3)
	if err := s.need(1 + n); err != nil {
		return 0, false, err
	}
	b := s.buf[s.pos+1:]
	var i int64
	switch c {
	case mUint8:
		v = uint64(b[0])
	case mUint16:
		v = uint64(binary.BigEndian.Uint16(b))
	case mUint32:
		v = uint64(binary.BigEndian.Uint32(b))
	case mUint64:
		v = binary.BigEndian.Uint64(b)
	case mInt8:
		i = int64(int8(b[0]))
	case mInt16:
		i = int64(int16(binary.BigEndian.Uint16(b)))
	case mInt32:
		i = int64(int32(binary.BigEndian.Uint32(b)))
	default:
		i = int64(binary.BigEndian.Uint64(b))
	}
	if c >= mInt8 {
		v, negative = uint64(i), i < 0
	}
	if n != intWidth(v, negative) || c >= mInt8 && !negative {
		s.canonical = false
	}
	s.pos += 1 + n
	return v, negative, nil
}

// intWidth returns the number of bytes after the first in the canonical encoding of an integer.
func intWidth(v uint64, negative bool) int {
	if negative {
		switch i := int64(v); {
		case i >= -32:
			return 0
		case i >= math.MinInt8:
			return 1
		case i >= math.MinInt16:
			return 2
		case i >= math.MinInt32:
			return 4
		}
		return 8
	}
	switch {
	case v < 1<<7:
		return 0
	case v < 1<<8:
		return 1
	case v < 1<<16:
		return 2
	case v < 1<<32:
		return 4
	}
	return 8
}

// seconds reads a time.
func (s *scanner) seconds() (int64, *FormatError) {
	pos := s.pos
	v, negative, err := s.number()
	if err != nil {
		return 0, err
	}
	if !negative && v > math.MaxInt64 {
		return 0, s.fail(pos, ErrValue, "%d is out of range", v)
	}
	return int64(v), nil
}

// boolean reads a bool.
func (s *scanner) boolean() (bool, *FormatError) {
	c, err := s.peek()
	if err != nil {
		return false, err
	}
	if c != mFalse && c != mTrue {
		return false, s.want("a boolean", s.pos)
	}
	s.pos++
	return c == mTrue, nil
}

// null reads a nil, if there is one.
func (s *scanner) null() (bool, *FormatError) {
	c, err := s.peek()
	if err != nil || c != mNil {
		return false, err
	}
	s.pos++
	return true, nil
}

// piece is a range of the window.
type piece struct{ start, end int }

// pushKey pushes a map's key, and reports whether it sorts after the one before it. base is the
// index of the map's first key on the stack.
func (s *scanner) pushKey(base, start, end int) (sorted bool) {
	sorted = true
	if n := len(s.keys); n > base {
		prev := s.buf[s.keys[n-1].start:s.keys[n-1].end]
		key := s.buf[start:end]
		if len(prev) > 0 && len(key) > 0 && prev[0] != key[0] {
			sorted = prev[0] < key[0] // most neighbours differ here, and a call is expensive
		} else {
			sorted = bytes.Compare(prev, key) < 0
		}
	}
	if len(s.keys) == cap(s.keys) {
		s.keys = slices.Grow(s.keys, max(minKeys, len(s.keys)))
	}
	s.keys = append(s.keys, piece{start, end})
	return sorted
}

// minKeys is the initial capacity for keys.
const minKeys = 32

// popKeys pops the keys from base on. If they were not sorted, it checks for duplicates.
func (s *scanner) popKeys(base int, sorted bool) *FormatError {
	keys := s.keys[base:]
	s.keys = s.keys[:base]
	if sorted {
		return nil
	}
	slices.SortFunc(keys, func(a, b piece) int {
		if c := bytes.Compare(s.buf[a.start:a.end], s.buf[b.start:b.end]); c != 0 {
			return c
		}
		return a.start - b.start
	})
	for i := 1; i < len(keys); i++ {
		prev, next := keys[i-1], keys[i]
		if key := s.buf[next.start:next.end]; bytes.Equal(s.buf[prev.start:prev.end], key) {
			return s.fail(next.start, ErrDuplicateKey, "duplicate key %.64q", key)
		}
	}
	return nil
}

// fields reads a map with string keys. It calls field with each key, and field must read the value.
// The key is only valid until field reads.
func (s *scanner) fields(field func(key []byte) *FormatError) *FormatError {
	_, err := s.sortedFields(field)
	return err
}

// sortedFields is like fields, and reports whether the keys were sorted.
func (s *scanner) sortedFields(field func(key []byte) *FormatError) (sorted bool, err *FormatError) {
	n, err := s.mapHeader()
	if err != nil {
		return false, err
	}
	base := len(s.keys)
	sorted = true
	for range n {
		start, end, err := s.str("a string as key")
		if err != nil {
			return false, err
		}
		if !s.pushKey(base, start, end) {
			sorted = false
		}
		if err := field(s.buf[start:end]); err != nil {
			return false, err.in(string(s.buf[start:end]))
		}
	}
	return sorted, s.popKeys(base, sorted)
}
