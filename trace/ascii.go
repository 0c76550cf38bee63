package trace

import (
	"encoding/binary"
	"unicode/utf8"
)

// High bits: set in every byte of UTF-8 that is not ASCII.
const (
	high64 = 0x8080808080808080
	high32 = 0x80808080
)

// validUTF8 is utf8.Valid, but faster for the usual string in a manifest, which is short and ASCII.
func validUTF8(b []byte) bool { return isASCII(b) || utf8.Valid(b) }

func isASCII(b []byte) bool {
	n := len(b)
	if n >= 8 {
		// The last word may overlap the one before it.
		word := binary.LittleEndian.Uint64(b[n-8:])
		for ; len(b) >= 8; b = b[8:] {
			word |= binary.LittleEndian.Uint64(b)
		}
		return word&high64 == 0
	}
	if n >= 4 {
		return (binary.LittleEndian.Uint32(b)|binary.LittleEndian.Uint32(b[n-4:]))&high32 == 0
	}
	bits := byte(0)
	for _, c := range b {
		bits |= c
	}
	return bits < utf8.RuneSelf
}
