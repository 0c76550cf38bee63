package trace

import "math"

// walker reads msgpack bytes that a scanner has checked, token by token. If B is string, the
// strings it returns share its memory.
type walker[B string | []byte] struct {
	src B
	pos int
}

type tokenKind uint8

const (
	tokenNil tokenKind = iota
	tokenBool
	tokenInt
	tokenFloat
	tokenString
	tokenBinary
	tokenArray
	tokenMap
)

// token is one value of a manifest, or the header of a map or an array.
type token[B string | []byte] struct {
	kind tokenKind
	// negative reports how to interpret the bits of an integer.
	negative bool
	// bits is the value of a boolean, the two's complement of an integer, or the representation of a
	// float64.
	bits uint64
	// data is the content of a string or of binary data.
	data B
	// n is the number of entries of a map or elements of an array.
	n int
}

func (w *walker[B]) next() token[B] {
	c := w.src[w.pos]
	w.pos++
	switch {
	case c < mFixMap:
		return token[B]{kind: tokenInt, bits: uint64(c)}
	case c < mFixArray:
		return token[B]{kind: tokenMap, n: int(c & 0x0f)}
	case c < mFixStr:
		return token[B]{kind: tokenArray, n: int(c & 0x0f)}
	case c < mFixStrEnd:
		return token[B]{kind: tokenString, data: w.take(int(c - mFixStr))}
	case c >= mNegFix:
		return signed[B](int64(int8(c)))
	}
	switch c {
	case mFalse, mTrue:
		return token[B]{kind: tokenBool, bits: uint64(c - mFalse)}
	case mBin8, mBin16, mBin32:
		return token[B]{kind: tokenBinary, data: w.take(int(w.uint(1 << (c - mBin8))))}
	case mFloat32:
		f := float64(math.Float32frombits(uint32(w.uint(4))))
		return token[B]{kind: tokenFloat, bits: math.Float64bits(f)}
	case mFloat64:
		return token[B]{kind: tokenFloat, bits: w.uint(8)}
	case mUint8, mUint16, mUint32, mUint64:
		return token[B]{kind: tokenInt, bits: w.uint(1 << (c - mUint8))}
	case mInt8:
		return signed[B](int64(int8(w.uint(1))))
	case mInt16:
		return signed[B](int64(int16(w.uint(2))))
	case mInt32:
		return signed[B](int64(int32(w.uint(4))))
	case mInt64:
		return signed[B](int64(w.uint(8)))
	case mStr8, mStr16, mStr32:
		return token[B]{kind: tokenString, data: w.take(int(w.uint(1 << (c - mStr8))))}
	case mArray16, mArray32:
		return token[B]{kind: tokenArray, n: int(w.uint(2 << (c - mArray16)))}
	case mMap16, mMap32:
		return token[B]{kind: tokenMap, n: int(w.uint(2 << (c - mMap16)))}
	}
	return token[B]{kind: tokenNil}
}

func signed[B string | []byte](i int64) token[B] {
	return token[B]{kind: tokenInt, bits: uint64(i), negative: i < 0}
}

// uint reads a big-endian integer of n bytes.
func (w *walker[B]) uint(n int) (v uint64) {
	for range n {
		v = v<<8 | uint64(w.src[w.pos])
		w.pos++
	}
	return v
}

func (w *walker[B]) take(n int) B {
	w.pos += n
	return w.src[w.pos-n : w.pos]
}

// skip moves past the next value.
func (w *walker[B]) skip() {
	for left := 1; left > 0; left-- {
		switch t := w.next(); t.kind {
		case tokenArray:
			left += t.n
		case tokenMap:
			left += 2 * t.n
		}
	}
}
