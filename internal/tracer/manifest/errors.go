package manifest

import (
	"errors"
	"fmt"
)

// ErrSyntax is returned when the input is not JSON, or ends too early. What else can be wrong with an object is classed as in traces:
// [trace.ErrType], [trace.ErrValue], [trace.ErrMissingKey], [trace.ErrTooDeep].
var ErrSyntax = errors.New("not JSON")

// Error says what is wrong with an object, and where. It never has anything of the object's content in it.
type Error struct {
	// Offset is the byte of the input at which the offending value stands.
	Offset int
	Msg    string
	// Err is ErrSyntax or one of those of package trace, for errors.Is.
	Err error
}

// Error gives "byte 1234: want a string".
func (e *Error) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Msg) }

// Unwrap gives the class of the error.
func (e *Error) Unwrap() error { return e.Err }
