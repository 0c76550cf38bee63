package manifest

import (
	"errors"
	"fmt"
	"io"

	"simkube.io/simkube/trace"
)

const (
	// listWindow is how much of a list is read at once.
	listWindow = 64 << 10
	// maxItem is how large an item, or the list's own metadata, may be. etcd does not keep objects of more than a few megabytes.
	maxItem = 64 << 20
)

// ListReader reads the body of a list as it comes, and holds one item of it at a time. It is not safe for concurrent use.
type ListReader struct {
	source io.Reader
	// buf[pos:] is what was read of the source and not taken yet; base is where buf stands in the input.
	buf       []byte
	pos, base int
	sourceErr error

	state           listState
	first           bool // no item of the list, or no key of it, was read yet
	err             error
	version, resume string
}

// listState is where in a list the reader is.
type listState uint8

const (
	listStart listState = iota
	listFields
	listItems
	listEnd
)

// NewListReader makes a reader of a list.
func NewListReader(r io.Reader) *ListReader {
	return &ListReader{source: r}
}

// Next gives the JSON of the next item, valid until the next Next. After the last it is io.EOF, once the list has ended as it should. A
// failure of the source is given as it is, wrapped; what is no list is an *Error.
func (l *ListReader) Next() ([]byte, error) {
	if l.err != nil {
		return nil, l.err
	}
	item, err := l.next()
	if err != nil {
		l.err = err
		return nil, err
	}
	return item, nil
}

// ResourceVersion is the list's. It is known once Next gave io.EOF; API servers may write it before or behind the items.
func (l *ListReader) ResourceVersion() string { return l.version }

// Continue is the token to ask for the rest of the list with, empty if there is no rest. It is known once Next gave io.EOF.
func (l *ListReader) Continue() string { return l.resume }

func (l *ListReader) next() ([]byte, error) {
	for {
		switch l.state {
		case listStart:
			if err := l.expect('{', "a list, which is an object"); err != nil {
				return nil, err
			}
			l.state, l.first = listFields, true
		case listFields:
			if err := l.field(); err != nil {
				return nil, err
			}
		case listItems:
			item, err := l.item()
			if item != nil || err != nil {
				return item, err
			}
			l.state, l.first = listFields, false
		case listEnd:
			if _, err := l.peek(); err == nil {
				return nil, l.bad("something follows the end of the list")
			} else if !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("read a list: %w", err)
			}
			return nil, io.EOF
		}
	}
}

// field reads the next field of the list: all of it, unless it is the items, of which it reads the beginning.
func (l *ListReader) field() error {
	done, err := l.comma('}', "a comma or the end of the list")
	if err != nil || done {
		l.state = listEnd
		return err
	}
	raw, err := l.raw()
	if err != nil {
		return err
	}
	s := scanner{data: raw}
	name, keyErr := s.string()
	if keyErr != nil {
		return l.in(keyErr, raw)
	}
	items, metadata := string(name) == "items", string(name) == "metadata"
	if err := l.expect(':', "a colon"); err != nil {
		return err
	}
	c, err := l.need()
	if err != nil {
		return err
	}
	if items && c == '[' {
		l.pos++
		l.state, l.first = listItems, true
		return nil
	}
	if raw, err = l.raw(); err != nil {
		return err
	}
	s = scanner{data: raw}
	var badValue *Error
	switch {
	case metadata:
		badValue = l.metadata(&s)
	case items && c != 'n':
		badValue = s.want("an array")
	default:
		badValue = s.skip(1)
	}
	if badValue == nil {
		badValue = s.end()
	}
	if badValue != nil {
		return l.in(badValue, raw)
	}
	return nil
}

func (l *ListReader) metadata(s *scanner) *Error {
	return s.fields(func(key []byte) (err *Error) {
		var text []byte
		switch string(key) {
		case "resourceVersion":
			text, err = s.string()
			l.version = string(text)
		case "continue":
			text, err = s.string()
			l.resume = string(text)
		default:
			err = s.skip(2)
		}
		return err
	})
}

// item reads the next item; it is nil behind the last.
func (l *ListReader) item() ([]byte, error) {
	done, err := l.comma(']', "a comma or the end of the items")
	if err != nil || done {
		return nil, err
	}
	c, err := l.need()
	if err != nil {
		return nil, err
	}
	if c != '{' {
		return nil, &Error{Offset: l.base + l.pos, Msg: "an item of the list is not an object", Err: trace.ErrType}
	}
	return l.raw()
}

// comma moves to the next key or item, over the comma before it, or over the end.
func (l *ListReader) comma(end byte, what string) (done bool, err error) {
	c, err := l.need()
	switch {
	case err != nil:
		return false, err
	case c == end:
		l.pos++
		return true, nil
	case l.first:
		l.first = false
		return false, nil
	case c == ',':
		l.pos++
		_, err = l.need()
		return false, err
	}
	return false, l.bad("want " + what)
}

func (l *ListReader) expect(c byte, what string) error {
	got, err := l.need()
	if err != nil {
		return err
	}
	if got != c {
		return l.bad("want " + what)
	}
	l.pos++
	return nil
}

func (l *ListReader) bad(msg string) *Error {
	return &Error{Offset: l.base + l.pos, Msg: msg, Err: ErrSyntax}
}

// in moves the error of a piece that was just read to its place in the input.
func (l *ListReader) in(err *Error, piece []byte) *Error {
	return &Error{Offset: l.base + l.pos - len(piece) + err.Offset, Msg: err.Msg, Err: err.Err}
}

// raw reads a value, of which it looks no closer at anything than is needed to find its end.
func (l *ListReader) raw() ([]byte, error) {
	var v valueEnd
	for n := 0; ; {
		used, done := v.find(l.buf[l.pos+n:])
		n += used
		if done {
			l.pos += n
			return l.buf[l.pos-n : l.pos], nil
		}
		if n > maxItem {
			return nil, l.bad(fmt.Sprintf("a part of the list is larger than %d bytes", maxItem))
		}
		if err := l.fill(); err != nil {
			return nil, l.ended(err)
		}
	}
}

// need is peek where the list cannot end.
func (l *ListReader) need() (byte, error) {
	c, err := l.peek()
	if err != nil {
		return 0, l.ended(err)
	}
	return c, nil
}

// ended gives the error for a source that gave err where the list goes on.
func (l *ListReader) ended(err error) error {
	if errors.Is(err, io.EOF) {
		return &Error{Offset: l.base + len(l.buf), Msg: "the list ends too early", Err: ErrSyntax}
	}
	return fmt.Errorf("read a list: %w", err)
}

// peek gives the next byte that is not white space.
func (l *ListReader) peek() (byte, error) {
	for {
		for l.pos < len(l.buf) {
			switch c := l.buf[l.pos]; c {
			case ' ', '\t', '\n', '\r':
				l.pos++
			default:
				return c, nil
			}
		}
		if err := l.fill(); err != nil {
			return 0, err
		}
	}
}

// fill reads more of the source into buf. What was taken is overwritten.
func (l *ListReader) fill() error {
	if l.sourceErr != nil {
		return l.sourceErr
	}
	if l.pos > 0 && (l.pos == len(l.buf) || len(l.buf) == cap(l.buf)) {
		n := copy(l.buf, l.buf[l.pos:])
		l.base += l.pos
		l.buf, l.pos = l.buf[:n], 0
	}
	if len(l.buf) == cap(l.buf) {
		larger := make([]byte, len(l.buf), max(listWindow, 2*cap(l.buf)))
		copy(larger, l.buf)
		l.buf = larger
	}
	// A reader may give nothing for a while, but not for ever.
	for range 100 {
		n, err := l.source.Read(l.buf[len(l.buf):cap(l.buf)])
		l.buf = l.buf[:len(l.buf)+n]
		l.sourceErr = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	l.sourceErr = io.ErrNoProgress
	return l.sourceErr
}
