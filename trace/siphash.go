package trace

import (
	"encoding/binary"
	"math/bits"
)

// sipHash computes SipHash-1-3 with a key of zero incrementally: the function of Jean-Philippe
// Aumasson and Daniel J. Bernstein, "SipHash: a fast short-input PRF" (2012), with one round per
// eight bytes and three at the end.
type sipHash struct {
	v0, v1, v2, v3 uint64
	tail           uint64 // the bytes of an unfinished word, the first lowest
	n              uint64 // number of bytes so far; the last n mod 8 are in tail
}

// newSipHash returns the state of the empty message: the key, which is zero, combined with the
// constants of the paper.
func newSipHash() sipHash {
	return sipHash{v0: 0x736f6d6570736575, v1: 0x646f72616e646f6d, v2: 0x6c7967656e657261, v3: 0x7465646279746573}
}

func (h *sipHash) round() {
	h.v0 += h.v1
	h.v2 += h.v3
	h.v1 = bits.RotateLeft64(h.v1, 13) ^ h.v0
	h.v3 = bits.RotateLeft64(h.v3, 16) ^ h.v2
	h.v0 = bits.RotateLeft64(h.v0, 32)
	h.v2 += h.v1
	h.v0 += h.v3
	h.v1 = bits.RotateLeft64(h.v1, 17) ^ h.v2
	h.v3 = bits.RotateLeft64(h.v3, 21) ^ h.v0
	h.v2 = bits.RotateLeft64(h.v2, 32)
}

func (h *sipHash) word(m uint64) {
	h.v3 ^= m
	h.round()
	h.v0 ^= m
}

// uint64 adds the eight bytes of v, the lowest first.
func (h *sipHash) uint64(v uint64) {
	shift := h.n % 8 * 8
	h.word(h.tail | v<<shift)
	h.tail = v >> 8 >> (56 - shift) // if shift is 0, nothing is left
	h.n += 8
}

// byte adds one byte.
func (h *sipHash) byte(b byte) {
	h.tail |= uint64(b) << (h.n % 8 * 8)
	h.n++
	if h.n%8 == 0 {
		h.word(h.tail)
		h.tail = 0
	}
}

// bytes adds p.
func (h *sipHash) bytes(p []byte) {
	for ; len(p) >= 8; p = p[8:] {
		h.uint64(binary.LittleEndian.Uint64(p))
	}
	for _, b := range p {
		h.byte(b)
	}
}

// str adds the bytes of s.
func (h *sipHash) str(s string) {
	for ; len(s) >= 8; s = s[8:] {
		h.uint64(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56)
	}
	for i := range len(s) {
		h.byte(s[i])
	}
}

// sum returns the hash. The state must not be used afterwards.
func (h *sipHash) sum() uint64 {
	h.word(h.tail | h.n<<56)
	h.v2 ^= 0xff
	h.round()
	h.round()
	h.round()
	return h.v0 ^ h.v1 ^ h.v2 ^ h.v3
}
