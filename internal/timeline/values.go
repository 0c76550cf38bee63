package timeline

import (
	"encoding/binary"
	"math"
	"strconv"
)

// values iterates over the values in msgpack bytes, descending into maps and arrays, whose keys and
// elements are returned in order. It ends at the end of the bytes, or if they are not msgpack.
type values struct {
	src  []byte
	kind valueKind
	// data is the bytes of a string, or those of a scalar after the first.
	data []byte
	// head is the first byte of the value.
	head byte
}

type valueKind int

const (
	containerValue valueKind = iota // the beginning of a map or an array
	stringValue
	scalarValue // a number, a boolean or null
	otherValue  // binary data, an extension
)

// next moves to the next value and reports whether there is one.
func (v *values) next() bool {
	if len(v.src) == 0 {
		return false
	}
	c := v.src[0]
	v.head, v.data = c, nil
	v.src = v.src[1:]
	switch {
	case c < 0x80 || c >= 0xe0: // a small integer
		v.kind = scalarValue
		return true
	case c < 0xa0: // a small map or array
		v.kind = containerValue
		return true
	case c < 0xc0:
		v.kind = stringValue
		return v.take(uint64(c - 0xa0))
	}
	return v.long(c)
}

// long reads the rest of a value whose first byte does not have its size.
func (v *values) long(c byte) bool {
	switch {
	case c <= 0xc3: // null, false, true; 0xc1 is not used
		v.kind = scalarValue
		return c != 0xc1
	case c <= 0xc6: // binary data
		v.kind = otherValue
		return v.sized(1<<(c-0xc4), 0)
	case c <= 0xc9: // an extension
		v.kind = otherValue
		return v.sized(1<<(c-0xc7), 1)
	case c <= 0xcb: // floats
		v.kind = scalarValue
		return v.take(4 << (c - 0xca))
	case c <= 0xd3: // integers
		v.kind = scalarValue
		return v.take(1 << ((c - 0xcc) & 3))
	case c <= 0xd8: // an extension of fixed length
		v.kind = otherValue
		return v.take(1 + 1<<(c-0xd4))
	case c <= 0xdb: // strings
		v.kind = stringValue
		return v.sized(1<<(c-0xd9), 0)
	}
	v.kind = containerValue // 16 or 32 bits with the number of elements
	return v.take(2 << ((c - 0xdc) & 1))
}

// sized takes the bytes of a value that begins with a length of n bytes, plus more bytes.
func (v *values) sized(n int, more uint64) bool {
	if len(v.src) < n {
		return false
	}
	var size uint64
	for _, b := range v.src[:n] {
		size = size<<8 | uint64(b)
	}
	v.src = v.src[n:]
	return v.take(size + more)
}

// array reports whether the value is the beginning of an array.
func (v *values) array() bool {
	return v.head >= 0x90 && v.head < 0xa0 || v.head == 0xdc || v.head == 0xdd
}

func (v *values) take(n uint64) bool {
	if uint64(len(v.src)) < n {
		return false
	}
	v.data, v.src = v.src[:n], v.src[n:]
	return true
}

// appendText appends a scalar in its JSON form.
func (v *values) appendText(b []byte) []byte {
	switch c := v.head; {
	case c < 0x80 || c >= 0xe0:
		return strconv.AppendInt(b, int64(int8(c)), 10)
	case c == 0xc0:
		return append(b, "null"...)
	case c <= 0xc3:
		return strconv.AppendBool(b, c == 0xc3)
	case c == 0xca:
		return appendFloat(b, float64(math.Float32frombits(uint32(v.uint()))))
	case c == 0xcb:
		return appendFloat(b, math.Float64frombits(v.uint()))
	case c <= 0xcf:
		return strconv.AppendUint(b, v.uint(), 10)
	}
	shift := 64 - 8*len(v.data)
	return strconv.AppendInt(b, int64(v.uint()<<shift)>>shift, 10)
}

// uint returns the big-endian number in data.
func (v *values) uint() uint64 {
	var b [8]byte
	copy(b[8-len(v.data):], v.data)
	return binary.BigEndian.Uint64(b[:])
}

// appendFloat appends a number in its JSON form: very large and very small ones have an exponent.
func appendFloat(b []byte, f float64) []byte {
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, 64)
}
