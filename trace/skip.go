package trace

import (
	"encoding/binary"
	"math"
)

// skip checks one value of a manifest and moves past it. A manifest holds JSON values and binary
// data. depth is the nesting depth of the value.
func (s *scanner) skip(depth int) *FormatError {
	if s.pos >= len(s.buf) {
		if err := s.need(1); err != nil {
			return err
		}
	}
	switch c := s.buf[s.pos]; {
	case c < mFixMap || c >= mNegFix:
		s.pos++
		return nil
	case c >= mFixStr && c < mFixStrEnd:
		end := s.pos + 1 + int(c-mFixStr)
		if end > len(s.buf) || !validUTF8(s.buf[s.pos+1:end]) {
			break
		}
		s.pos = end
		return nil
	case c < mFixArray || c == mMap16 || c == mMap32:
		return s.skipMap(depth + 1)
	case c < mFixStr || c == mArray16 || c == mArray32:
		return s.skipArray(depth + 1)
	}
	return s.skipScalar()
}

// skipScalar handles the types for which skip has no fast path.
func (s *scanner) skipScalar() *FormatError {
	switch c := s.buf[s.pos]; c {
	case mNil, mFalse, mTrue:
		s.pos++
		return nil
	case mUint8, mUint16, mUint32, mUint64, mInt8, mInt16, mInt32, mInt64:
		_, _, err := s.number()
		return err
	case mFloat32, mFloat64:
		return s.skipFloat(c)
	case mBin8, mBin16, mBin32:
		s.canonical = false
		return s.skipBytes(1<<(c-mBin8), 0)
	}
	if c := s.buf[s.pos]; c >= mFixStr && c < mFixStrEnd || c >= mStr8 && c <= mStr32 {
		_, _, err := s.str("")
		return err
	}
	return s.want("a value that JSON can hold", s.pos)
}

func (s *scanner) skipFloat(c byte) *FormatError {
	var f float64
	n := 8
	if c == mFloat32 {
		n = 4
		s.canonical = false
	}
	if err := s.need(1 + n); err != nil {
		return err
	}
	if b := s.buf[s.pos+1:]; n == 4 {
		f = float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	} else {
		f = math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return s.fail(s.pos, ErrValue, "want a number that JSON can hold, got %v", f)
	}
	s.pos += 1 + n
	return nil
}

// skipBytes skips a value that begins with a length of n bytes, and has extra bytes in addition to
// that length.
func (s *scanner) skipBytes(n, extra int) *FormatError {
	size, err := s.length(n, 0)
	if err != nil {
		return err
	}
	if err := s.need(size + extra); err != nil {
		return err
	}
	s.pos += size + extra
	return nil
}

func (s *scanner) skipArray(depth int) *FormatError {
	if depth > MaxDepth {
		return s.tooDeep()
	}
	n, err := s.arrayHeader()
	if err != nil {
		return err
	}
	for i := range n {
		if err := s.skip(depth); err != nil {
			return err.at(i)
		}
	}
	return nil
}

func (s *scanner) skipMap(depth int) *FormatError {
	if depth > MaxDepth {
		return s.tooDeep()
	}
	n, err := s.mapHeader()
	if err != nil {
		return err
	}
	base, sorted := len(s.keys), true
	for range n {
		start, end, err := s.str("a string as key")
		if err != nil {
			return err
		}
		if !s.pushKey(base, start, end) {
			sorted = false
		}
		if err := s.skip(depth); err != nil {
			return err.in(string(s.buf[start:end]))
		}
	}
	if !sorted {
		s.canonical = false
	}
	return s.popKeys(base, sorted)
}

func (s *scanner) tooDeep() *FormatError {
	return s.fail(s.pos, ErrTooDeep, "maps and arrays are nested deeper than %d", MaxDepth)
}

// skipAny checks one value of any msgpack type, with keys of any type: the values of unknown keys.
// Keys are duplicates if their bytes are equal.
func (s *scanner) skipAny(depth int) *FormatError {
	c, err := s.peek()
	if err != nil {
		return err
	}
	switch {
	case c&0xf0 == mFixMap || c == mMap16 || c == mMap32:
		return s.skipAnyMap(depth + 1)
	case c&0xf0 == mFixArray || c == mArray16 || c == mArray32:
		return s.skipAnyArray(depth + 1)
	case c == mFloat32:
		return s.skipFixed(4)
	case c == mFloat64:
		return s.skipFixed(8)
	case c >= mExt8 && c <= mExt32:
		return s.skipBytes(1<<(c-mExt8), 1)
	case c >= mFixExt && c <= mFixExt5:
		return s.skipFixed(1 + 1<<(c-mFixExt))
	case c == mInvalid:
		return s.want("a value", s.pos)
	}
	return s.skip(depth)
}

// skipFixed skips a value that has n bytes after its first.
func (s *scanner) skipFixed(n int) *FormatError {
	if err := s.need(1 + n); err != nil {
		return err
	}
	s.pos += 1 + n
	return nil
}

func (s *scanner) skipAnyArray(depth int) *FormatError {
	if depth > MaxDepth {
		return s.tooDeep()
	}
	n, err := s.arrayHeader()
	if err != nil {
		return err
	}
	for i := range n {
		if err := s.skipAny(depth); err != nil {
			return err.at(i)
		}
	}
	return nil
}

func (s *scanner) skipAnyMap(depth int) *FormatError {
	if depth > MaxDepth {
		return s.tooDeep()
	}
	n, err := s.mapHeader()
	if err != nil {
		return err
	}
	base, sorted := len(s.keys), true
	for i := range n {
		start := s.pos
		if err := s.skipAny(depth); err != nil {
			return err.at(i)
		}
		if !s.pushKey(base, start, s.pos) {
			sorted = false
		}
		if err := s.skipAny(depth); err != nil {
			return err.at(i)
		}
	}
	return s.popKeys(base, sorted)
}
