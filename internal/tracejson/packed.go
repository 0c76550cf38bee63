package tracejson

import "math"

// packed reads msgpack bytes that a trace.Reader has checked.
type packed struct {
	src []byte
	pos int
}

type kind uint8

const (
	kindNil kind = iota
	kindBool
	kindInt
	kindFloat
	kindString
	kindBinary
	kindExt
	kindArray
	kindMap
)

// token is a scalar, or the header of a map or an array.
type token struct {
	kind kind
	// negative is the sign of an integer.
	negative bool
	// isSmallest reports that it has the shortest encoding, and a value that JSON can represent. For
	// an array or a map, this concerns the header alone.
	isSmallest bool
	// bits are a boolean's truth, an integer's two's complement, or a float64's representation.
	bits uint64
	// data are the bytes of a string or of binary data.
	data []byte
	// n is the number of a map's entries or an array's elements.
	n int
}

func (p *packed) next() token {
	c := p.src[p.pos]
	p.pos++
	switch {
	case c < 0x80:
		return token{kind: kindInt, bits: uint64(c), isSmallest: true}
	case c < 0x90:
		return token{kind: kindMap, n: int(c & 0x0f), isSmallest: true}
	case c < 0xa0:
		return token{kind: kindArray, n: int(c & 0x0f), isSmallest: true}
	case c < 0xc0:
		return token{kind: kindString, data: p.take(uint64(c & 0x1f)), isSmallest: true}
	case c >= 0xe0:
		return token{kind: kindInt, bits: uint64(int64(int8(c))), negative: true, isSmallest: true}
	}
	return p.long(c)
}

// long is next for values that need more than the first byte.
func (p *packed) long(c byte) token {
	switch c {
	case 0xc2, 0xc3:
		return token{kind: kindBool, bits: uint64(c & 1), isSmallest: true}
	case 0xc4, 0xc5, 0xc6:
		return token{kind: kindBinary, data: p.take(p.uint(1 << (c - 0xc4)))}
	case 0xc7, 0xc8, 0xc9:
		p.take(1 + p.uint(1<<(c-0xc7)))
		return token{kind: kindExt}
	case 0xca:
		f := float64(math.Float32frombits(uint32(p.uint(4))))
		return token{kind: kindFloat, bits: math.Float64bits(f)}
	case 0xcb:
		t := token{kind: kindFloat, bits: p.uint(8)}
		f := math.Float64frombits(t.bits)
		t.isSmallest = !math.IsNaN(f) && !math.IsInf(f, 0)
		return t
	case 0xcc, 0xcd, 0xce, 0xcf:
		width := c - 0xcc
		v := p.uint(1 << width)
		return token{kind: kindInt, bits: v, isSmallest: v >= [...]uint64{1 << 7, 1 << 8, 1 << 16, 1 << 32}[width]}
	case 0xd0, 0xd1, 0xd2, 0xd3:
		width := c - 0xd0
		shift := 64 - 8<<width
		v := int64(p.uint(1<<width)<<shift) >> shift
		smallest := v < [...]int64{-1 << 5, math.MinInt8, math.MinInt16, math.MinInt32}[width]
		return token{kind: kindInt, bits: uint64(v), negative: v < 0, isSmallest: smallest}
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		p.take(1 + 1<<(c-0xd4))
		return token{kind: kindExt}
	case 0xd9, 0xda, 0xdb:
		width := c - 0xd9
		n := p.uint(1 << width)
		return token{kind: kindString, data: p.take(n), isSmallest: n >= [...]uint64{1 << 5, 1 << 8, 1 << 16}[width]}
	case 0xdc, 0xdd:
		n := p.uint(2 << (c - 0xdc))
		return token{kind: kindArray, n: int(n), isSmallest: n >= [...]uint64{1 << 4, 1 << 16}[c-0xdc]}
	case 0xde, 0xdf:
		n := p.uint(2 << (c - 0xde))
		return token{kind: kindMap, n: int(n), isSmallest: n >= [...]uint64{1 << 4, 1 << 16}[c-0xde]}
	}
	return token{kind: kindNil, isSmallest: true}
}

// uint reads a big-endian integer of n bytes.
func (p *packed) uint(n int) (v uint64) {
	for _, b := range p.src[p.pos : p.pos+n] {
		v = v<<8 | uint64(b)
	}
	p.pos += n
	return v
}

func (p *packed) take(n uint64) []byte {
	p.pos += int(n)
	return p.src[p.pos-int(n) : p.pos]
}

// skip skips the next value.
func (p *packed) skip() {
	for left := 1; left > 0; left-- {
		switch t := p.next(); t.kind {
		case kindArray:
			left += t.n
		case kindMap:
			left += 2 * t.n
		}
	}
}
