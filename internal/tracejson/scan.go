package tracejson

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/tinylib/msgp/msgp"
)

// scanner reads JSON token by token. Its errors are an [Error] with the position in the input.
type scanner struct {
	dec   *jsontext.Decoder
	lines *lineReader
	text  []byte // the unescaped string, reused
}

func newScanner(r io.Reader) scanner {
	lines := &lineReader{src: r}
	// Duplicate keys are an error of the package's own: some are compared by value.
	return scanner{dec: jsontext.NewDecoder(lines, jsontext.AllowDuplicateNames(true)), lines: lines}
}

// peek returns the kind of the next token without reading it. what names what is wanted, for the
// error if the input ends.
func (s *scanner) peek(what string) (jsontext.Kind, *Error) {
	kind := s.dec.PeekKind()
	if kind != 0 {
		return kind, nil
	}
	_, err := s.dec.ReadToken()
	return 0, s.wrap(err, what)
}

// here returns the position of the next token. It must have been peeked.
func (s *scanner) here() position {
	unread, skipped := s.dec.UnreadBuffer(), 0
	for skipped < len(unread) && isBetweenTokens(unread[skipped]) {
		skipped++
	}
	return s.lines.position(s.dec.InputOffset() + int64(skipped))
}

func isBetweenTokens(c byte) bool {
	return c == ',' || c == ':' || c == ' ' || c == '\n' || c == '\r' || c == '\t'
}

// wrap returns the error of the JSON decoder with its position.
func (s *scanner) wrap(err error, what string) *Error {
	var source *sourceError
	var syntax *jsontext.SyntacticError
	switch {
	case errors.As(err, &source):
		return s.end().fail(source, "%v", source)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return s.end().fail(ErrSyntax, "the input ends here; want %s", what)
	case errors.As(err, &syntax):
		return s.lines.position(syntax.ByteOffset).fail(ErrSyntax, "%v", syntax.Err)
	}
	return s.here().fail(ErrSyntax, "%v", err)
}

// end returns the position behind everything that was read.
func (s *scanner) end() position {
	return s.lines.position(s.dec.InputOffset() + int64(len(s.dec.UnreadBuffer())))
}

// describe names a kind of value.
func describe(kind jsontext.Kind) string {
	switch kind {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	}
	return "a boolean"
}

// more reports whether there is another token, which may be invalid.
func (s *scanner) more() (bool, *Error) {
	if s.dec.PeekKind() != 0 {
		return true, nil
	}
	_, err := s.dec.ReadToken()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return false, s.wrap(err, "a trace")
}

// want returns the error for a value of another kind than the wanted, or for what is no value.
func (s *scanner) want(what string, got jsontext.Kind) *Error {
	if !bytes.ContainsRune([]byte(`{["0ntf`), rune(got)) {
		if _, err := s.dec.ReadToken(); err != nil {
			return s.wrap(err, what)
		}
	}
	return s.here().fail(ErrForm, "want %s, got %s", what, describe(got))
}

// begin reads the first token of an object or array.
func (s *scanner) begin(kind jsontext.Kind, what string) *Error {
	switch got, err := s.peek(what); {
	case err != nil:
		return err
	case got != kind:
		return s.want(what, got)
	}
	return s.token(what)
}

// token reads a token that was peeked.
func (s *scanner) token(what string) *Error {
	if _, err := s.dec.ReadToken(); err != nil {
		return s.wrap(err, what)
	}
	return nil
}

// object reads an object. It calls member for each key, to read its value. The key is valid until
// member reads on.
func (s *scanner) object(what string, member func(at position, key []byte) *Error) *Error {
	if err := s.begin('{', what); err != nil {
		return err
	}
	for {
		more, err := s.another('}', "a key or '}'")
		if err != nil || !more {
			return err
		}
		at := s.here()
		key, err := s.string("a key, which is a string in quotes")
		if err != nil {
			return err
		}
		if err := member(at, key); err != nil {
			return err
		}
	}
}

// array reads an array. It calls element to read each of its values.
func (s *scanner) array(what string, element func(i int) *Error) *Error {
	if err := s.begin('[', what); err != nil {
		return err
	}
	for n := 0; ; n++ {
		more, err := s.another(']', "a value or ']'")
		if err != nil || !more {
			return err
		}
		if err := element(n); err != nil {
			return err.at(n)
		}
	}
}

// another reports whether an object or array has another member. If not, it reads the end of it.
func (s *scanner) another(end jsontext.Kind, what string) (bool, *Error) {
	kind, err := s.peek(what)
	if err != nil {
		return false, err
	}
	if kind == end {
		return false, s.token(what)
	}
	return true, nil
}

// string reads a string. Its bytes are valid until the scanner reads on.
func (s *scanner) string(what string) ([]byte, *Error) {
	if kind, err := s.peek(what); err != nil {
		return nil, err
	} else if kind != '"' {
		return nil, s.want(what, kind)
	}
	raw, err := s.dec.ReadValue()
	if err != nil {
		return nil, s.wrap(err, "the quote that ends the string")
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	if s.text, err = jsontext.AppendUnquote(s.text[:0], raw); err != nil {
		return nil, s.wrap(err, "a string")
	}
	return s.text, nil
}

// number reads a number as it is written. Its bytes are valid until the scanner reads on.
func (s *scanner) number() (text []byte, isInteger bool, _ *Error) {
	raw, err := s.dec.ReadValue()
	if err != nil {
		return nil, false, s.wrap(err, "the rest of the number")
	}
	return raw, !bytes.ContainsAny(raw, ".eE"), nil
}

// appendBytes appends the msgpack value that a $msgpack stands for.
func (s *scanner) appendBytes(b []byte) ([]byte, *Error) {
	if _, err := s.peek("a string"); err != nil {
		return nil, err
	}
	at := s.here()
	text, err := s.string("a string, msgpack bytes in base64")
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
