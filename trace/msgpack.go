package trace

import "fmt"

// The first bytes of msgpack values that do not contain a small value or length themselves.
const (
	mNil     = 0xc0
	mInvalid = 0xc1
	mFalse   = 0xc2
	mTrue    = 0xc3
	mBin8    = 0xc4
	mBin16   = 0xc5
	mBin32   = 0xc6
	mExt8    = 0xc7
	mExt32   = 0xc9
	mFloat32 = 0xca
	mFloat64 = 0xcb
	mUint8   = 0xcc
	mUint16  = 0xcd
	mUint32  = 0xce
	mUint64  = 0xcf
	mInt8    = 0xd0
	mInt16   = 0xd1
	mInt32   = 0xd2
	mInt64   = 0xd3
	mFixExt  = 0xd4 // followed by four more: 1, 2, 4, 8, 16 bytes
	mFixExt5 = 0xd8
	mStr8    = 0xd9
	mStr16   = 0xda
	mStr32   = 0xdb
	mArray16 = 0xdc
	mArray32 = 0xdd
	mMap16   = 0xde
	mMap32   = 0xdf
)

// The small values: 0x00-0x7f and 0xe0-0xff are integers, and these ranges carry a length.
const (
	mFixMap    = 0x80
	mFixArray  = 0x90
	mFixStr    = 0xa0
	mFixStrEnd = 0xc0
	mNegFix    = 0xe0
)

// describe returns the type of the value that begins with c, for error messages.
func describe(c byte) string {
	switch {
	case c < mFixMap || c >= mNegFix || c >= mUint8 && c <= mInt64:
		return "an integer"
	case c < mFixArray || c == mMap16 || c == mMap32:
		return "a map"
	case c < mFixStr || c == mArray16 || c == mArray32:
		return "an array"
	case c < mFixStrEnd || c >= mStr8 && c <= mStr32:
		return "a string"
	case c == mNil:
		return "null"
	case c == mFalse || c == mTrue:
		return "a boolean"
	case c >= mBin8 && c <= mBin32:
		return "binary data"
	case c == mFloat32 || c == mFloat64:
		return "a float"
	case c == mInvalid:
		return fmt.Sprintf("the byte %#x, which msgpack does not use", c)
	}
	return "a msgpack extension"
}
