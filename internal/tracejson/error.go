package tracejson

import (
	"errors"
	"fmt"

	"simkube.io/simkube/internal/words"
)

var (
	// ErrSyntax is returned if the input is not valid JSON, or ends too early.
	ErrSyntax = errors.New("invalid JSON")
	// ErrForm is returned if the input is JSON that does not describe a trace.
	ErrForm = errors.New("not a trace")
)

// Error is an error in the input of [Decode].
type Error struct {
	// Line and Column begin at 1. Column counts bytes.
	Line, Column int
	// Path is the path to the value from the object at the beginning of the line, such as
	// "applied_objs[0].metadata". It is empty for that object itself.
	Path string
	// Msg describes what was expected and what was found.
	Msg string
	// Err is ErrSyntax, ErrForm, or an error of package trace.
	Err error
}

// Error returns "line 3, column 14: applied_objs[0].metadata: want an object, got a string".
func (e *Error) Error() string {
	at := fmt.Sprintf("line %d, column %d: ", e.Line, e.Column)
	if e.Path != "" {
		at += e.Path + ": "
	}
	return at + e.Msg
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// maxKey is how many bytes of a key a path has.
const maxKey = 64

// in prepends a key to the path.
func (e *Error) in(key string) *Error {
	return e.under(words.ClipBytes(key, maxKey))
}

// at prepends an index to the path.
func (e *Error) at(i int) *Error { return e.under(fmt.Sprintf("[%d]", i)) }

func (e *Error) under(step string) *Error {
	if e.Path != "" && e.Path[0] != '[' {
		step += "."
	}
	e.Path = step + e.Path
	return e
}

// sourceError marks an error from reading the input.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }
