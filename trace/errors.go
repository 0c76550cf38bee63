package trace

import (
	"errors"
	"fmt"
)

// What can be wrong with a trace. Each is matched with errors.Is on the error of a reader; the
// [*FormatError] around it says where.
var (
	// ErrTruncated is returned when the input ends before the trace does.
	ErrTruncated = errors.New("truncated trace")
	// ErrType is returned when a value has another type than the format gives its place.
	ErrType = errors.New("wrong type")
	// ErrValue is returned when a value has the right type and a content the format rules out.
	ErrValue = errors.New("invalid value")
	// ErrMissingKey is returned when a key the format requires is not there.
	ErrMissingKey = errors.New("missing key")
	// ErrDuplicateKey is returned when a map has one key twice.
	ErrDuplicateKey = errors.New("duplicate key")
	// ErrTooDeep is returned when values are nested deeper than MaxDepth.
	ErrTooDeep = errors.New("nested too deep")
	// ErrTrailing is returned when bytes follow the end of the trace.
	ErrTrailing = errors.New("trailing bytes")
	// ErrVersion is returned when the trace has a version other than 1 and 2.
	ErrVersion = errors.New("unsupported trace version")
	// ErrOwner is returned when a version 1 trace names an object of which the events do not tell one kind.
	ErrOwner = errors.New("kind of the object cannot be told")
	// ErrExtensionVersion is returned when x-simkube has a version that is newer than ExtensionVersion. The trace around it can be read.
	ErrExtensionVersion = errors.New("unsupported version of x-simkube")
)

// What can be wrong with the use of a Writer.
var (
	// ErrOrder is returned when an event is earlier than the event written before it.
	ErrOrder = errors.New("events out of time order")
	// ErrCount is returned when more or fewer events are written than were announced, or when what is streamed has another number of parts
	// than was counted before.
	ErrCount = errors.New("wrong number of events")
	// ErrUnsorted is returned when what is streamed is not in the order in which it is written.
	ErrUnsorted = errors.New("not sorted")
	// ErrFinished is returned when a Writer is used after Finish or Close.
	ErrFinished = errors.New("trace writer is finished")
)

// errZeroObject is returned when an Object is used that nobody made.
var errZeroObject = fmt.Errorf("the zero object: %w", ErrValue)

// FormatError says what is wrong with a trace, and where.
type FormatError struct {
	// Offset is the byte in the input at which the offending value starts; for a truncated input, its length.
	Offset int64
	// Path leads to the offending value, like "events[3].applied_objs[0].metadata"; empty for the trace itself.
	Path string
	// Msg says what was wanted and what was found.
	Msg string
	// Err is one of the Err... variables of this package.
	Err error
}

// Error gives "byte 1234: events[3].applied_objs[0].metadata: want a map, got a string".
func (e *FormatError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("byte %d: %s", e.Offset, e.Msg)
	}
	return fmt.Sprintf("byte %d: %s: %s", e.Offset, e.Path, e.Msg)
}

// Unwrap gives the class of the error, for errors.Is.
func (e *FormatError) Unwrap() error { return e.Err }

// classedError has a text of its own and a class for errors.Is.
type classedError struct {
	text  string
	class error
}

func classed(class error, format string, args ...any) error {
	return &classedError{text: fmt.Sprintf(format, args...), class: class}
}

func (e *classedError) Error() string { return e.text }
func (e *classedError) Unwrap() error { return e.class }
