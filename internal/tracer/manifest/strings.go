package manifest

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// plainEnd returns the index, from i on, of the first byte that is a quote, a backslash, a control
// character or not ASCII; len(data) if there is none. It processes eight bytes at a time.
func plainEnd(data []byte, i int) int {
	for len(data)-i >= 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		// For each byte x, the high bit of x-1 becomes set if x is 0; the lowest such bit is never a
		// false positive.
		quote := w ^ '"'*lowBits
		backslash := w ^ '\\'*lowBits
		special := (quote-lowBits)&^quote | (backslash-lowBits)&^backslash | (w-' '*lowBits)&^w | w
		if special &= highBits; special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
		i += 8
	}
	for i < len(data) {
		if c := data[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return i
		}
		i++
	}
	return i
}

// string reads a string. The result is valid until the next string is read.
func (s *scanner) string() ([]byte, *Error) {
	if s.peek() != '"' {
		return nil, s.want("a string")
	}
	start := s.pos + 1
	end := plainEnd(s.data, start)
	if end < len(s.data) && s.data[end] == '"' {
		s.pos = end + 1
		return s.data[start:end], nil
	}
	return s.specialString(start, end)
}

// specialString reads a string of which only data[start:end] is known to be plain.
func (s *scanner) specialString(start, end int) ([]byte, *Error) {
	s.text = append(s.text[:0], s.data[start:end]...)
	for {
		if end == len(s.data) {
			s.pos = end
			return nil, s.bad("the end of a string")
		}
		switch c := s.data[end]; {
		case c == '"':
			s.pos = end + 1
			return s.text, nil
		case c == '\\':
			n := s.unescape(s.data[end:])
			if n == 0 {
				return nil, s.fail(end, ErrSyntax, "there is no such escape sequence")
			}
			end += n
		case c < ' ':
			return nil, s.fail(end, ErrSyntax, "a control character in a string")
		default:
			// An invalid byte is decoded as RuneError of length 1, and written as U+FFFD.
			r, n := utf8.DecodeRune(s.data[end:])
			s.text = utf8.AppendRune(s.text, r)
			end += n
		}
		plain := plainEnd(s.data, end)
		s.text = append(s.text, s.data[end:plain]...)
		end = plain
	}
}

// unescape appends the character of an escape sequence to text, and returns the length of the
// sequence; 0 if it is invalid.
func (s *scanner) unescape(data []byte) int {
	if len(data) < 2 {
		return 0
	}
	switch c := data[1]; c {
	case '"', '\\', '/':
		s.text = append(s.text, c)
	case 'b':
		s.text = append(s.text, '\b')
	case 'f':
		s.text = append(s.text, '\f')
	case 'n':
		s.text = append(s.text, '\n')
	case 'r':
		s.text = append(s.text, '\r')
	case 't':
		s.text = append(s.text, '\t')
	case 'u':
		r := hexRune(data)
		if r < 0 {
			return 0
		}
		if !utf16.IsSurrogate(r) {
			s.text = utf8.AppendRune(s.text, r)
			return 6
		}
		// A valid pair of surrogates is one character; any other surrogate is replaced.
		if both := utf16.DecodeRune(r, hexRune(data[6:])); both != utf8.RuneError {
			s.text = utf8.AppendRune(s.text, both)
			return 12
		}
		s.text = utf8.AppendRune(s.text, utf8.RuneError)
		return 6
	default:
		return 0
	}
	return 2
}

// hexRune returns the number in \u1234, or -1 if data does not begin with that form.
func hexRune(data []byte) rune {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range data[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// skipString skips a string. It validates everything but the UTF-8.
func (s *scanner) skipString() *Error {
	i := s.pos + 1
	for {
		i = plainEnd(s.data, i)
		if i == len(s.data) {
			s.pos = i
			return s.bad("the end of a string")
		}
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return nil
		case c == '\\':
			n := escapeLen(s.data[i:])
			if n == 0 {
				return s.fail(i, ErrSyntax, "there is no such escape sequence")
			}
			i += n
		case c < ' ':
			return s.fail(i, ErrSyntax, "a control character in a string")
		default:
			i++
		}
	}
}

// escapeLen returns the length of an escape sequence, 0 if it is invalid.
func escapeLen(data []byte) int {
	if len(data) < 2 {
		return 0
	}
	switch data[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if hexRune(data) >= 0 {
			return 6
		}
	}
	return 0
}
