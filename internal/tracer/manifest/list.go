package manifest

import (
	"errors"
	"fmt"
	"io"

	"simkube.io/simkube/trace"
)

const (
	// listWindow is the size of a read.
	listWindow = 64 << 10
	// maxItem is the maximum size of an item, or of the list's own metadata. etcd does not store
	// objects of more than a few megabytes.
	maxItem = 64 << 20
)

// ListReader reads the body of a list as a stream, with one item at a time in memory. It is not
// safe for concurrent use.
type ListReader struct {
	source io.Reader
	// buf[pos:] is the data that was read and not consumed yet; base is the offset of buf in the
	// input.
	buf       []byte
	pos, base int
	sourceErr error

	state           listState
	first           bool // no item or key was read yet
	err             error
	version, resume string
}

// listState is the position of the reader in a list.
type listState uint8

const (
	listStart listState = iota
	listFields
	listItems
	listEnd
)

// NewListReader returns a reader of a list.
func NewListReader(r io.Reader) *ListReader {
	return &ListReader{source: r}
}

// Next returns the JSON of the next item, valid until the next call. After the last item it returns
// io.EOF, provided that the list is complete. Errors of the source are wrapped; if the data is not
// a list, the error is an *Error.
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

// ResourceVersion returns that of the list. It is set after Next has returned io.EOF, since API
// servers may write it before or after the items.
func (l *ListReader) ResourceVersion() string { return l.version }

// Continue returns the token to request the rest of the list, or "" if there is none. It is set
// after Next has returned io.EOF.
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

// field reads the next field of the list. Of the items it reads only the beginning.
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

// item reads the next item; it returns nil after the last one.
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

// comma moves to the next key or item, past the comma before it, or past the end.
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

// in converts the position of an error in the piece that was just read to one in the input.
func (l *ListReader) in(err *Error, piece []byte) *Error {
	return &Error{Offset: l.base + l.pos - len(piece) + err.Offset, Msg: err.Msg, Err: err.Err}
}

// raw reads a value. It only searches its end, and does not validate it.
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

// need is like peek, but the end of the input is an error.
func (l *ListReader) need() (byte, error) {
	c, err := l.peek()
	if err != nil {
		return 0, l.ended(err)
	}
	return c, nil
}

// ended returns the error for an error of the source within the list.
func (l *ListReader) ended(err error) error {
	if errors.Is(err, io.EOF) {
		return &Error{Offset: l.base + len(l.buf), Msg: "the list ends too early", Err: ErrSyntax}
	}
	return fmt.Errorf("read a list: %w", err)
}

// peek returns the next byte that is not white space.
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

// fill reads more data into buf. It overwrites consumed data.
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
	// A reader may return no data for a while, but not forever.
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
