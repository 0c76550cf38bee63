package manifest

import (
	"fmt"

	"simkube.io/simkube/trace"
)

// maxDepth is how deep maps and arrays may be nested in an object, itself the first. Around objects, traces have a few more.
const maxDepth = trace.MaxDepth - 8

// scanner moves over JSON text and checks it on the way. It takes what encoding/json takes, in the same sense.
type scanner struct {
	data []byte
	pos  int
	// text has the last string that did not stand in data as it is.
	text []byte
}

func (s *scanner) fail(pos int, class error, format string, args ...any) *Error {
	return &Error{Offset: pos, Msg: fmt.Sprintf(format, args...), Err: class}
}

// bad is the error of what cannot stand at pos.
func (s *scanner) bad(want string) *Error {
	if s.pos >= len(s.data) {
		return s.fail(len(s.data), ErrSyntax, "the input ends here; want %s", want)
	}
	return s.fail(s.pos, ErrSyntax, "want %s", want)
}

// peek moves to the next byte that is not white space, and gives it: 0 at the end.
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

// end makes sure that nothing follows.
func (s *scanner) end() *Error {
	if s.peek(); s.pos < len(s.data) {
		return s.fail(s.pos, ErrSyntax, "something follows the end of the object")
	}
	return nil
}

// want makes the error of a value of another type than wanted.
func (s *scanner) want(what string) *Error {
	c := s.peek()
	got := describe(c)
	if got == "" {
		return s.bad("a value")
	}
	return s.fail(s.pos, trace.ErrType, "want %s, got %s", what, got)
}

// describe names the type of the value that begins with c.
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

// null moves over a null, if there is one.
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

// open moves into a map or array that begins with c, or fails for want of it.
func (s *scanner) open(c byte, what string) *Error {
	if s.peek() != c {
		return s.want(what)
	}
	s.pos++
	return nil
}

// key moves over the next key of a map and the colon after it. At the map's end, behind which it moves, more is false. first says that
// no key was read yet. The key is valid until the next string.
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

// element moves to the next element of an array; more is false at its end, behind which it moves.
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

// fields reads a map or null: field is called with each key, valid until it reads, and moves over its value.
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

// elements reads an array or null: element is called for each element, and moves over it.
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

// skip moves over a value that nothing is wanted of. depth is how many maps and arrays are around it.
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

// skipKey is key for one that is of no interest.
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
