package tracejson

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

const (
	scanBuffer = 64 << 10
	// maxEmptyReads is how often a source may give neither data nor an error.
	maxEmptyReads = 100
)

// scanner moves over JSON. It holds a window on its source, from pos on.
type scanner struct {
	src io.Reader
	buf []byte // the window
	pos int    // the next byte of it to be looked at
	off int64  // where in the source buf begins
	err error  // what ended the source, once something did

	line      int   // lines ended so far
	lineStart int64 // where in the source the line began
	text      []byte
}

// more reads on. What is in front of pos goes; the positions of what is left change by as much as pos does, which becomes 0. It gives false at the end.
func (s *scanner) more() bool {
	if s.err != nil {
		return false
	}
	s.off += int64(s.pos)
	left := len(s.buf) - s.pos
	if cap(s.buf) < max(2*left, scanBuffer) {
		grown := make([]byte, left, max(4*left, scanBuffer))
		copy(grown, s.buf[s.pos:])
		s.buf = grown
	} else {
		copy(s.buf, s.buf[s.pos:])
		s.buf = s.buf[:left]
	}
	s.pos = 0
	for range maxEmptyReads {
		n, err := s.src.Read(s.buf[left:cap(s.buf)])
		s.buf = s.buf[:left+n]
		s.err = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// position is where something stands in the source.
type position struct {
	line   int
	column int
}

// here is the position of the next byte, or of one in the window behind it.
func (s *scanner) here(ahead int) position {
	return position{s.line + 1, int(s.off + int64(s.pos+ahead) - s.lineStart + 1)}
}

func (p position) fail(class error, format string, args ...any) *Error {
	return &Error{Line: p.line, Column: p.column, Msg: fmt.Sprintf(format, args...), Err: class}
}

// fail makes the error of what stands at pos.
func (s *scanner) fail(class error, format string, args ...any) *Error {
	return s.here(0).fail(class, format, args...)
}

// ended makes the error of a source that ended where there has to be more.
func (s *scanner) ended(what string) *Error {
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		return s.here(0).fail(&sourceError{s.err}, "%v", s.err)
	}
	return s.here(len(s.buf)-s.pos).fail(ErrSyntax, "the input ends here; %s is wanted", what)
}

// space skips blanks and gives the byte behind them without taking it.
func (s *scanner) space(what string) (byte, *Error) {
	for {
		for s.pos < len(s.buf) {
			switch c := s.buf[s.pos]; c {
			case '\n':
				s.line++
				s.lineStart = s.off + int64(s.pos) + 1
				s.pos++
			case ' ', '\t', '\r':
				s.pos++
			default:
				return c, nil
			}
		}
		if !s.more() {
			return 0, s.ended(what)
		}
	}
}

// describe names the type of the value that begins with c.
func describe(c byte) string {
	switch {
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '"':
		return "a string"
	case c == 't' || c == 'f':
		return "a boolean"
	case c == 'n':
		return "null"
	case c == '-' || c >= '0' && c <= '9':
		return "a number"
	case c < utf8.RuneSelf:
		return strconv.QuoteRune(rune(c))
	}
	return fmt.Sprintf("the byte %#x", c)
}

// begin takes the byte that a value of the wanted type begins with.
func (s *scanner) begin(c byte, what string) *Error {
	got, err := s.space(what)
	switch {
	case err != nil:
		return err
	case got != c:
		return s.want(what, got)
	}
	s.pos++
	return nil
}

// want makes the error of a value at pos that is another than was wanted.
func (s *scanner) want(what string, got byte) *Error {
	class := ErrSyntax
	if strings.IndexByte(`{["tfn-0123456789`, got) >= 0 { // a value, if another one
		class = ErrForm
	}
	return s.fail(class, "want %s, got %s", what, describe(got))
}

// object reads an object: member reads the value of each key. The key is valid until member reads on.
func (s *scanner) object(what string, member func(at position, key []byte) *Error) *Error {
	if err := s.begin('{', what); err != nil {
		return err
	}
	for n := 0; ; n++ {
		more, err := s.another(n, '}', "a key")
		if err != nil || !more {
			return err
		}
		at := s.here(0)
		key, err := s.string("a key, which is a string in quotes")
		if err != nil {
			return err
		}
		if s.pos == len(s.buf) || s.buf[s.pos] != ':' {
			key = bytes.Clone(key) // the scanner may have to read on for the colon
		}
		if err := s.colon(); err != nil {
			return err
		}
		if err := member(at, key); err != nil {
			return err
		}
	}
}

// colon takes what stands between a key and its value.
func (s *scanner) colon() *Error {
	if s.pos < len(s.buf) && s.buf[s.pos] == ':' {
		s.pos++
		return nil
	}
	return s.begin(':', "a colon after the key")
}

// array reads an array: element reads each of its values.
func (s *scanner) array(what string, element func(i int) *Error) *Error {
	if err := s.begin('[', what); err != nil {
		return err
	}
	for n := 0; ; n++ {
		more, err := s.another(n, ']', "a value")
		if err != nil || !more {
			return err
		}
		if err := element(n); err != nil {
			return err.at(n)
		}
	}
}

// another moves to the value number n of an object or array, or behind its end. Then it gives false.
func (s *scanner) another(n int, end byte, what string) (bool, *Error) {
	if n > 0 && end == '}' {
		what = "a comma or '}'"
	} else if n > 0 {
		what = "a comma or ']'"
	}
	c, err := s.space(what)
	switch {
	case err != nil:
		return false, err
	case c == end:
		s.pos++
		return false, nil
	case n == 0:
		return true, nil
	case c != ',':
		return false, s.fail(ErrSyntax, "want %s, got %s", what, describe(c))
	}
	s.pos++
	if c, err = s.space("a value"); err == nil && c == end {
		err = s.fail(ErrSyntax, "want something after the comma, got %q", end)
	}
	return true, err
}

// string reads a string. Its bytes are valid until the scanner reads on.
func (s *scanner) string(what string) ([]byte, *Error) {
	if c, err := s.space(what); err != nil {
		return nil, err
	} else if c != '"' {
		return nil, s.want(what, c)
	}
	escaped := false
	for i := 1; ; i++ {
		if s.pos+i >= len(s.buf) && !s.more() {
			return nil, s.ended("the quote that ends the string")
		}
		switch c := s.buf[s.pos+i]; {
		case c == '"':
			raw := s.buf[s.pos+1 : s.pos+i]
			if !utf8.Valid(raw) {
				return nil, s.fail(ErrSyntax, "the string is not valid UTF-8")
			}
			if escaped {
				var err *Error
				if raw, err = s.unescape(raw); err != nil {
					return nil, err
				}
			}
			s.pos += i + 1
			return raw, nil
		case c == '\\':
			escaped = true
			i++
			if s.pos+i >= len(s.buf) && !s.more() {
				return nil, s.ended("the quote that ends the string")
			}
			if s.buf[s.pos+i] < ' ' {
				return nil, s.here(i).fail(ErrSyntax, "a backslash escapes nothing")
			}
		case c < ' ':
			return nil, s.here(i).fail(ErrSyntax, "the control character %#02x has to be escaped in a string", c)
		}
	}
}

// unescape gives what the string at pos stands for, in memory that is used again.
func (s *scanner) unescape(raw []byte) ([]byte, *Error) {
	s.text = s.text[:0]
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			s.text = append(s.text, raw[i])
			continue
		}
		i++
		switch c := raw[i]; c {
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
			r, size := unicodeEscape(raw[i-1:])
			if size == 0 {
				return nil, s.here(i).fail(ErrSyntax, `the escape \u does not make a character`)
			}
			s.text = utf8.AppendRune(s.text, r)
			i += size - 2
		default:
			return nil, s.here(i).fail(ErrSyntax, "there is no escape \\%s", string(rune(c)))
		}
	}
	return s.text, nil
}

// unicodeEscape gives the character that one or two \uXXXX stand for, and their length: 0 where there is none.
func unicodeEscape(b []byte) (r rune, size int) {
	first, ok := fourDigits(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	second, ok := fourDigits(b[6:])
	if r := utf16.DecodeRune(first, second); ok && r != utf8.RuneError {
		return r, 12
	}
	return 0, 0
}

func fourDigits(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	v := rune(0)
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// number reads a number as it is written. Its bytes are valid until the scanner reads on.
func (s *scanner) number() (text []byte, isInteger bool, _ *Error) {
	n := 0
	for {
		if s.pos+n >= len(s.buf) && !s.more() {
			break
		}
		if c := s.buf[s.pos+n]; (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c|0x20 != 'e' {
			break
		}
		n++
	}
	if s.err != nil && !errors.Is(s.err, io.EOF) && s.pos+n >= len(s.buf) {
		return nil, false, s.ended("the rest of the number")
	}
	text = s.buf[s.pos : s.pos+n]
	isNumber, isInteger := checkNumber(text)
	if !isNumber {
		return nil, false, s.fail(ErrSyntax, "%.64q is not a number", text)
	}
	s.pos += n
	return text, isInteger, nil
}

// checkNumber tells whether a text is a number, and one without fraction and exponent.
func checkNumber(b []byte) (isNumber, isInteger bool) {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	digits := countDigits(b)
	if digits == 0 || digits > 1 && b[0] == '0' {
		return false, false
	}
	b = b[digits:]
	if len(b) == 0 {
		return true, true
	}
	if b[0] == '.' {
		if digits = countDigits(b[1:]); digits == 0 {
			return false, false
		}
		b = b[1+digits:]
	}
	if len(b) > 0 && b[0]|0x20 == 'e' {
		b = b[1:]
		if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
			b = b[1:]
		}
		if digits = countDigits(b); digits == 0 {
			return false, false
		}
		b = b[digits:]
	}
	return len(b) == 0, false
}

func countDigits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}

// literal takes true, false or null.
func (s *scanner) literal(word string) *Error {
	for i := range len(word) {
		if s.pos+i >= len(s.buf) && !s.more() {
			return s.ended(word)
		}
		if s.buf[s.pos+i] != word[i] {
			return s.fail(ErrSyntax, "want a value, got %.16q", s.buf[s.pos:min(s.pos+len(word), len(s.buf))])
		}
	}
	s.pos += len(word)
	return nil
}

// appendBytes appends the msgpack value that a $msgpack stands for.
func (s *scanner) appendBytes(b []byte) ([]byte, *Error) {
	c, err := s.space("a string")
	if err != nil {
		return nil, err
	}
	at := s.here(0)
	if c != '"' {
		return nil, s.want("a string, msgpack bytes in base64", c)
	}
	text, err := s.string("a string")
	if err != nil {
		return nil, err
	}
	start := len(b)
	b, decodeErr := base64.StdEncoding.Strict().AppendDecode(b, text)
	if decodeErr != nil {
		return nil, at.fail(ErrForm, "want msgpack bytes in base64: %v", decodeErr)
	}
	if rest, skipErr := msgp.Skip(b[start:]); skipErr != nil {
		return nil, at.fail(ErrForm, "the bytes are not msgpack: %v", skipErr)
	} else if len(rest) > 0 {
		return nil, at.fail(ErrForm, "the bytes are a msgpack value and %d more", len(rest))
	}
	return b, nil
}
