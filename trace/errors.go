package trace

import (
	"errors"
	"fmt"
)

// Errors of a trace. Each is matched with errors.Is on the error of a reader; the [*FormatError]
// that wraps it holds the position.
var (
	// ErrTruncated is returned when the input ends before the trace does.
	ErrTruncated = errors.New("truncated trace")
	// ErrType is returned when a value has a type that the format does not allow there.
	ErrType = errors.New("wrong type")
	// ErrValue is returned when a value has the right type, but the format does not allow its content.
	ErrValue = errors.New("invalid value")
	// ErrMissingKey is returned when a key that the format requires is missing.
	ErrMissingKey = errors.New("missing key")
	// ErrDuplicateKey is returned when a map has a key twice.
	ErrDuplicateKey = errors.New("duplicate key")
	// ErrTooDeep is returned when values are nested deeper than MaxDepth.
	ErrTooDeep = errors.New("nested too deep")
	// ErrTrailing is returned when bytes follow the end of the trace.
	ErrTrailing = errors.New("trailing bytes")
	// ErrVersion is returned when the trace has a version other than 1 and 2.
	ErrVersion = errors.New("unsupported trace version")
	// ErrOwner is returned when a version 1 trace names an object whose kind cannot be determined from
	// the events.
	ErrOwner = errors.New("kind of the object cannot be determined")
	// ErrExtensionVersion is returned when x-simkube has a version that is newer than
	// ExtensionVersion. The trace around it can be read.
	ErrExtensionVersion = errors.New("unsupported version of x-simkube")
)

// Errors of the use of a Writer.
var (
	// ErrOrder is returned when an event is earlier than the event written before it.
	ErrOrder = errors.New("events out of time order")
	// ErrCount is returned when the number of written events is not the announced number, or when a
	// stream has a different number of elements than when it was counted.
	ErrCount = errors.New("wrong number of events")
	// ErrUnsorted is returned when the elements of a stream are not in the order in which they are
	// written.
	ErrUnsorted = errors.New("not sorted")
	// ErrFinished is returned when a Writer is used after Finish or Close.
	ErrFinished = errors.New("trace writer is finished")
)

// errZeroObject is returned when the zero Object is used.
var errZeroObject = fmt.Errorf("the zero object: %w", ErrValue)

// FormatError describes an error in a trace and its position.
type FormatError struct {
	// Offset is the byte offset in the input of the invalid value; for a truncated input, its length.
	Offset int64
	// Path is the path of the invalid value, such as "events[3].applied_objs[0].metadata"; empty for
	// the trace itself.
	Path string
	// Msg says what was expected and what was found.
	Msg string
	// Err is one of the Err... variables of this package.
	Err error
}

// Error returns "byte 1234: events[3].applied_objs[0].metadata: want a map, got a string".
func (e *FormatError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("byte %d: %s", e.Offset, e.Msg)
	}
	return fmt.Sprintf("byte %d: %s: %s", e.Offset, e.Path, e.Msg)
}

// Unwrap returns Err.
func (e *FormatError) Unwrap() error { return e.Err }

// NotTraceError is the cause of a FormatError if the input has another format.
type NotTraceError struct {
	// Format is the format of the input, as far as its beginning shows.
	Format Format
}

// Error returns "not a trace, but an HTML page".
func (e *NotTraceError) Error() string { return "not a trace, but " + e.Format.Description() }

// Unwrap returns ErrTruncated for an empty input, and otherwise ErrType.
func (e *NotTraceError) Unwrap() error {
	if e.Format == FormatEmpty {
		return ErrTruncated
	}
	return ErrType
}

// classedError has its own text and matches a class of errors with errors.Is.
type classedError struct {
	text  string
	class error
}

func classed(class error, format string, args ...any) error {
	return &classedError{text: fmt.Sprintf(format, args...), class: class}
}

func (e *classedError) Error() string { return e.text }
func (e *classedError) Unwrap() error { return e.class }
