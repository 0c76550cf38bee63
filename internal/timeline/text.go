package timeline

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// textSearch searches for a text in manifests, ignoring case. It is immutable.
//
// Msgpack stores strings as they are. So the bytes of an event are first searched as if they were
// one text, which is fast. Only if that succeeds are the values decoded, to exclude a match that
// includes other bytes, such as the length of a string.
type textSearch struct {
	// lower is the text in lower case.
	lower []byte
	// ascii is whether all letters are ASCII, so that they can be compared byte by byte.
	ascii bool
	// rare is the index of the byte that is likely the rarest in manifests; low and high are its lower
	// and upper case.
	rare      int
	low, high byte
	// scalar is whether the text can be part of a number, true, false or null, which are not stored as
	// text.
	scalar bool
}

// common are the most frequent bytes of manifests, in descending order.
const common = "eatnosrilpcmd-ugvy0.bfh1k/w:x2\"j35468q79z_ ="

func newTextSearch(text string) *textSearch {
	lower := strings.ToLower(text)
	t := &textSearch{lower: []byte(lower), ascii: true, scalar: couldBeScalar(lower)}
	rarest := -1
	for i, c := range t.lower {
		if c >= utf8.RuneSelf {
			t.ascii = false
		}
		rank := strings.IndexByte(common, c)
		if rank < 0 {
			rank = len(common)
		}
		if rank > rarest {
			rarest, t.rare, t.low, t.high = rank, i, c, upper(c)
		}
	}
	return t
}

// upper returns the upper case of an ASCII letter in lower case, and other bytes unchanged.
func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// mayContain reports whether one of the manifests in the bytes of an event may contain the text.
func (t *textSearch) mayContain(raw []byte) bool {
	return t.contains(raw) || t.scalar && t.walk(raw, false)
}

// in reports whether a manifest contains the text.
func (t *textSearch) in(raw []byte) bool {
	strings := t.contains(raw)
	return (strings || t.scalar) && t.walk(raw, strings)
}

// contains reports whether the text occurs in a string or in raw bytes.
func (t *textSearch) contains(b []byte) bool {
	if !t.ascii {
		return bytes.Contains(bytes.ToLower(b), t.lower)
	}
	end := len(b) - len(t.lower) + t.rare + 1 // after the last possible position of the rare byte
	if end <= t.rare {
		return false
	}
	low, high := t.rare-1, t.rare-1
	for at := t.rare; ; {
		if low < at {
			low = indexFrom(b[:end], at, t.low)
		}
		if t.high == t.low {
			high = end
		} else if high < at {
			high = indexFrom(b[:end], at, t.high)
		}
		at = min(low, high)
		if at == end {
			return false
		}
		if t.equal(b[at-t.rare:]) {
			return true
		}
		at++
	}
}

// indexFrom returns the first index of c at or after from, or the length of b if there is none.
func indexFrom(b []byte, from int, c byte) int {
	if i := bytes.IndexByte(b[from:], c); i >= 0 {
		return from + i
	}
	return len(b)
}

// equal reports whether b begins with the text, which must be ASCII.
func (t *textSearch) equal(b []byte) bool {
	for i, c := range t.lower {
		if b[i] != c && b[i] != upper(c) {
			return false
		}
	}
	return true
}

// walk searches for the text in each scalar of msgpack bytes, and in strings if inStrings is set.
func (t *textSearch) walk(raw []byte, inStrings bool) bool {
	var buf [64]byte
	for v := (values{src: raw}); v.next(); {
		switch v.kind {
		case stringValue:
			if inStrings && t.contains(v.data) {
				return true
			}
		case scalarValue:
			if t.scalar && t.contains(v.appendText(buf[:0])) {
				return true
			}
		}
	}
	return false
}

// couldBeScalar reports whether a text could be part of a number, true, false or null.
func couldBeScalar(lower string) bool {
	if strings.Trim(lower, "0123456789+-.e") == "" {
		return true
	}
	return slices.ContainsFunc([]string{"true", "false", "null"}, func(word string) bool { return strings.Contains(word, lower) })
}
