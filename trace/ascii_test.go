package trace

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// TestValidUTF8 compares validUTF8 with the standard library's function, for strings of all lengths
// with any byte at any position.
func TestValidUTF8(t *testing.T) {
	for n := range 70 {
		for at := range n + 1 {
			for _, c := range []byte{'a', 0, 0x7f, 0x80, 0xc3, 0xff} {
				b := bytes.Repeat([]byte{'x'}, n)
				if at < n {
					b[at] = c
				}
				if at+1 < n && c == 0xc3 {
					b[at+1] = 0xa4 // ä
				}
				if got, want := validUTF8(b), utf8.Valid(b); got != want {
					t.Fatalf("%q: got %t, want %t", b, got, want)
				}
			}
		}
	}
}
