package manifest

import (
	"errors"
	"fmt"
)

// ErrSyntax is returned if the input is not JSON, or is truncated. Other errors have the classes of
// package trace: [trace.ErrType], [trace.ErrValue], [trace.ErrMissingKey], [trace.ErrTooDeep].
var ErrSyntax = errors.New("not JSON")

// Error is an error in an object with its position. It never contains any of the object's contents.
type Error struct {
	// Offset is the offset in the input of the offending value.
	Offset int
	Msg    string
	// Err is ErrSyntax or one of the errors of package trace, for errors.Is.
	Err error
}

// Error returns a text such as "byte 1234: want a string".
func (e *Error) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Msg) }

// Unwrap returns the class of the error.
func (e *Error) Unwrap() error { return e.Err }
