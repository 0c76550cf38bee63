package tracejson

import (
	"errors"
	"fmt"
)

var (
	// ErrSyntax is returned when the input is not JSON, or ends before it does.
	ErrSyntax = errors.New("invalid JSON")
	// ErrForm is returned when the input is JSON that does not describe a trace.
	ErrForm = errors.New("not a trace")
)

// Error says what is wrong with the input of [Decode], and where.
type Error struct {
	// Line and Column, which counts bytes, begin at 1.
	Line, Column int
	// Path leads to the offending value from the object that begins a line, like "applied_objs[0].metadata"; empty for that object itself.
	Path string
	// Msg says what was wanted and what was found.
	Msg string
	// Err is ErrSyntax, ErrForm, or what the package trace says.
	Err error
}

// Error gives "line 3, column 14: applied_objs[0].metadata: want an object, got a string".
func (e *Error) Error() string {
	at := fmt.Sprintf("line %d, column %d: ", e.Line, e.Column)
	if e.Path != "" {
		at += e.Path + ": "
	}
	return at + e.Msg
}

// Unwrap gives the class of the error, for errors.Is.
func (e *Error) Unwrap() error { return e.Err }

// in puts a key in front of the path.
func (e *Error) in(key string) *Error {
	const longest = 64
	if len(key) > longest {
		key = key[:longest] + "..."
	}
	return e.under(key)
}

// at puts an index in front of the path.
func (e *Error) at(i int) *Error { return e.under(fmt.Sprintf("[%d]", i)) }

func (e *Error) under(step string) *Error {
	if e.Path != "" && e.Path[0] != '[' {
		step += "."
	}
	e.Path = step + e.Path
	return e
}

// sourceError marks an error that is the source's and not the form's.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }
