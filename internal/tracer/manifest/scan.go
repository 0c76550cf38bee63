package manifest

import (
	"fmt"

	"simkube.io/simkube/trace"
)

// maxDepth is the maximum nesting of maps and arrays in an object, including the object. Traces add
// a few levels around objects.
const maxDepth = trace.MaxDepth - 8

// scanner reads JSON text and validates it. It accepts the same input as encoding/json, with the
// same meaning.
type scanner struct {
	data []byte
	pos  int
	// text is the last string that is not contained verbatim in data.
	text []byte
}

func (s *scanner) fail(pos int, class error, format string, args ...any) *Error {
	return &Error{Offset: pos, Msg: fmt.Sprintf(format, args...), Err: class}
}

// bad returns the error for invalid input at pos.
func (s *scanner) bad(want string) *Error {
	if s.pos >= len(s.data) {
		return s.fail(len(s.data), ErrSyntax, "the input ends here; want %s", want)
	}
	return s.fail(s.pos, ErrSyntax, "want %s", want)
}

// peek moves to the next byte that is not white space, and returns it: 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		if c > ' ' || c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
		s.pos++
	}
	return 0
}

// end returns an error if anything follows.
func (s *scanner) end() *Error {
	if s.peek(); s.pos < len(s.data) {
		return s.fail(s.pos, ErrSyntax, "something follows the end of the object")
	}
	return nil
}

// want returns the error for a value with the wrong type.
func (s *scanner) want(what string) *Error {
	c := s.peek()
	got := describe(c)
	if got == "" {
		return s.bad("a value")
	}
	return s.fail(s.pos, trace.ErrType, "want %s, got %s", what, got)
}

// describe returns the type of the value that begins with c.
func describe(c byte) string {
	switch c {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return "a number"
	}
	return ""
}

// null reads a null, if there is one.
func (s *scanner) null() (bool, *Error) {
	if s.peek() != 'n' {
		return false, nil
	}
	return true, s.literal("null")
}

func (s *scanner) literal(text string) *Error {
	if len(s.data)-s.pos < len(text) || string(s.data[s.pos:s.pos+len(text)]) != text {
		return s.bad("a value")
	}
	s.pos += len(text)
	return nil
}

// bool reads a boolean; null is false.
func (s *scanner) bool() (bool, *Error) {
	switch s.peek() {
	case 't':
		return true, s.literal("true")
	case 'f':
		return false, s.literal("false")
	case 'n':
		return false, s.literal("null")
	}
	return false, s.want("a boolean")
}

// open moves into a map or array that begins with c, and fails if there is none.
func (s *scanner) open(c byte, what string) *Error {
	if s.peek() != c {
		return s.want(what)
	}
	s.pos++
	return nil
}

// key reads the next key of a map and the colon after it. At the end of the map, which it consumes,
// more is false. first is whether no key was read yet. The key is valid until the next string is
// read.
func (s *scanner) key(first bool) (key []byte, more bool, err *Error) {
	c := s.peek()
	if c == '}' {
		s.pos++
		return nil, false, nil
	}
	if !first {
		if c != ',' {
			return nil, false, s.bad("a comma or the end of the object")
		}
		s.pos++
		c = s.peek()
	}
	if c != '"' {
		return nil, false, s.bad("a key")
	}
	if key, err = s.string(); err != nil {
		return nil, false, err
	}
	if s.peek() != ':' {
		return nil, false, s.bad("a colon")
	}
	s.pos++
	return key, true, nil
}

// element moves to the next element of an array; at the end of the array, which it consumes, more
// is false.
func (s *scanner) element(first bool) (more bool, err *Error) {
	switch c := s.peek(); {
	case c == ']':
		s.pos++
		return false, nil
	case first:
		return true, nil
	case c == ',':
		s.pos++
		return true, nil
	}
	return false, s.bad("a comma or the end of the array")
}

// fields reads a map or null: it calls field with each key, which is valid until the next read, and
// field must read the value.
func (s *scanner) fields(field func(key []byte) *Error) *Error {
	if none, err := s.null(); none || err != nil {
		return err
	}
	if err := s.open('{', "an object"); err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := s.key(first)
		if err != nil || !more {
			return err
		}
		if err := field(key); err != nil {
			return err
		}
	}
}

// elements reads an array or null: it calls element for each element, which element must read.
func (s *scanner) elements(element func(i int) *Error) *Error {
	if none, err := s.null(); none || err != nil {
		return err
	}
	if err := s.open('[', "an array"); err != nil {
		return err
	}
	for i := 0; ; i++ {
		more, err := s.element(i == 0)
		if err != nil || !more {
			return err
		}
		if err := element(i); err != nil {
			return err
		}
	}
}

// skip skips a value. depth is the number of maps and arrays around it.
func (s *scanner) skip(depth int) (err *Error) {
	switch s.peek() {
	case '"':
		return s.skipString()
	case '{', '[':
		return s.skipNested(depth)
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	_, err = s.number()
	return err
}

func (s *scanner) skipNested(depth int) *Error {
	if depth >= maxDepth {
		return s.tooDeep()
	}
	object := s.data[s.pos] == '{'
	s.pos++
	for first := true; ; first = false {
		var more bool
		var err *Error
		if object {
			more, err = s.skipKey(first)
		} else {
			more, err = s.element(first)
		}
		if err != nil || !more {
			return err
		}
		if err = s.skip(depth + 1); err != nil {
			return err
		}
	}
}

// skipKey is like key, but does not return the key.
func (s *scanner) skipKey(first bool) (more bool, err *Error) {
	c := s.peek()
	if c == '}' {
		s.pos++
		return false, nil
	}
	if !first {
		if c != ',' {
			return false, s.bad("a comma or the end of the object")
		}
		s.pos++
		c = s.peek()
	}
	if c != '"' {
		return false, s.bad("a key")
	}
	if err := s.skipString(); err != nil {
		return false, err
	}
	if s.peek() != ':' {
		return false, s.bad("a colon")
	}
	s.pos++
	return true, nil
}

func (s *scanner) tooDeep() *Error {
	return s.fail(s.pos, trace.ErrTooDeep, "maps and arrays are nested deeper than %d", maxDepth)
}
