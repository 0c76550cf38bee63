package manifest

import "io"

// ListReader reads the body of a list as it comes, and holds one item of it at a time. It is not safe for concurrent use.
type ListReader struct{}

// NewListReader makes a reader of a list.
func NewListReader(r io.Reader) *ListReader { panic("to do") }

// Next gives the JSON of the next item, valid until the next Next. After the last it is io.EOF, once the list has ended as it should. A failure
// of the source is given as it is, wrapped; what is no list is an *Error.
func (l *ListReader) Next() ([]byte, error) { panic("to do") }

// ResourceVersion is the list's. It is known once Next gave io.EOF; API servers may write it before or behind the items.
func (l *ListReader) ResourceVersion() string { panic("to do") }

// Continue is the token to ask for the rest of the list with, empty if there is no rest. It is known once Next gave io.EOF.
func (l *ListReader) Continue() string { panic("to do") }
