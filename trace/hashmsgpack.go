package trace

import (
	"bytes"
	"encoding/base64"
	"math"
	"slices"
)

// hashMsgpack returns the hash of a value in checked msgpack bytes. It equals HashValue of the
// decoded value, except for an integer beyond int64, which is hashed as an integer. sorted means
// that the keys of all maps are known to be sorted.
func hashMsgpack(b []byte, sorted bool) uint64 {
	h := msgpackHasher{walker: walker[[]byte]{src: b}, sip: newSipHash(), sorted: sorted}
	h.value()
	return h.sip.sum()
}

// msgpackHasher hashes the value that it walks over.
type msgpackHasher struct {
	walker[[]byte]
	sip    sipHash
	sorted bool
}

func (h *msgpackHasher) value() {
	t := h.next()
	switch t.kind {
	case tokenNil:
		h.sip.uint64(0)
	case tokenBool:
		h.sip.bool(t.bits != 0)
	case tokenInt:
		h.sip.uint64(t.bits)
	case tokenFloat:
		h.sip.float(math.Float64frombits(t.bits))
	case tokenString:
		h.str(t.data)
	case tokenBinary:
		h.str(base64.StdEncoding.AppendEncode(nil, t.data))
	case tokenArray:
		for range t.n {
			h.value()
		}
	case tokenMap:
		if !h.sorted {
			h.unsortedMap(t.n)
			return
		}
		for range t.n {
			h.str(h.next().data)
			h.value()
		}
	}
}

func (h *msgpackHasher) str(s []byte) {
	h.sip.bytes(s)
	h.sip.byte(hashStringEnd)
}

// unsortedMap hashes the entries of a map in the order of their keys.
func (h *msgpackHasher) unsortedMap(n int) {
	type entry struct {
		key   []byte
		value int
	}
	entries := make([]entry, n)
	for i := range entries {
		entries[i].key = h.next().data
		entries[i].value = h.pos
		h.skip()
	}
	end := h.pos
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	for _, e := range entries {
		h.str(e.key)
		h.pos = e.value
		h.value()
	}
	h.pos = end
}

// HashSpec returns the manifest hash of an object with the spec raw, as returned by [Object.Spec].
func HashSpec(raw []byte) uint64 { return hashMsgpack(raw, false) }
