package timeline

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// textSearch looks for a text in manifests, in upper or lower case. It is immutable.
//
// Strings stand in msgpack as they are. So the bytes of an event are looked through as if they were one text, which is
// quick, and only where that finds something it is made sure that it is not partly something else, such as the length
// of a string.
type textSearch struct {
	// lower is what is looked for.
	lower []byte
	// ascii says that no letter in it is outside ASCII, which can be compared byte by byte.
	ascii bool
	// rare is where in it the byte is that is likely the rarest in manifests, and low and high are its lower and upper case.
	rare      int
	low, high byte
	// scalar says that a number, true, false or null could have it, which do not stand there as text.
	scalar bool
}

// common are bytes that manifests have many of, the most frequent first.
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

// upper gives the upper case of an ASCII letter in lower case.
func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// mayContain tells whether a manifest among the bytes of an event may have the text.
func (t *textSearch) mayContain(raw []byte) bool {
	return t.contains(raw) || t.scalar && t.walk(raw, false)
}

// in tells whether a manifest has the text.
func (t *textSearch) in(raw []byte) bool {
	strings := t.contains(raw)
	return (strings || t.scalar) && t.walk(raw, strings)
}

// contains tells whether the text is somewhere in a string or in raw bytes.
func (t *textSearch) contains(b []byte) bool {
	if !t.ascii {
		return bytes.Contains(bytes.ToLower(b), t.lower)
	}
	end := len(b) - len(t.lower) + t.rare + 1 // behind the last place of the rare byte
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

// indexFrom gives the first place of c from a place on, and the length of b where there is none.
func indexFrom(b []byte, from int, c byte) int {
	if i := bytes.IndexByte(b[from:], c); i >= 0 {
		return from + i
	}
	return len(b)
}

// equal tells whether bytes begin with the text, which is ASCII.
func (t *textSearch) equal(b []byte) bool {
	for i, c := range t.lower {
		if b[i] != c && b[i] != upper(c) {
			return false
		}
	}
	return true
}

// walk goes over the values in msgpack bytes and looks for the text in each scalar, and in strings when it is told to.
func (t *textSearch) walk(raw []byte, inStrings bool) bool {
	var room [64]byte
	for v := (values{src: raw}); v.next(); {
		switch v.kind {
		case stringValue:
			if inStrings && t.contains(v.data) {
				return true
			}
		case scalarValue:
			if t.scalar && t.contains(v.appendText(room[:0])) {
				return true
			}
		}
	}
	return false
}

// couldBeScalar tells whether a text could be a part of a number, true, false or null.
func couldBeScalar(lower string) bool {
	if strings.Trim(lower, "0123456789+-.e") == "" {
		return true
	}
	return slices.ContainsFunc([]string{"true", "false", "null"}, func(word string) bool { return strings.Contains(word, lower) })
}
