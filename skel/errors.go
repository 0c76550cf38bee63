package skel

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"simkube.io/simkube/skel/internal/machine"
	"simkube.io/simkube/skel/internal/syntax"
	"simkube.io/simkube/trace"
)

// Error holds all mistakes found in a program, in the order of the source.
type Error struct {
	// Name is the name of the source; it may be empty.
	Name        string
	Diagnostics []Diagnostic
	// More is the number of mistakes that are not in Diagnostics.
	More int

	text string
}

// Diagnostic is one mistake.
type Diagnostic struct {
	// Line and Column are its position, both from 1. Column counts characters.
	Line, Column int
	// Start and End are the range of bytes of the source.
	Start, End int
	// Code identifies the kind of mistake. It does not change if the message is reworded.
	Code    string
	Message string
	// Hint is a suggestion; it may be empty.
	Hint string
}

// Error returns each mistake with its line and a caret below its position.
func (e *Error) Error() string { return e.text }

func newError(name, source string, found []syntax.Diagnostic, more int) *Error {
	e := &Error{Name: name, More: more, text: strings.TrimRight(syntax.Render(name, source, found, more), "\n")}
	for _, d := range found {
		line, column := position(source, d.Start)
		e.Diagnostics = append(e.Diagnostics, Diagnostic{
			Line: line, Column: column, Start: d.Start, End: d.End, Code: string(d.Code), Message: d.Message, Hint: d.Hint,
		})
	}
	return e
}

// position returns the line and the column of a byte of the source, both from 1.
func position(source string, offset int) (line, column int) {
	before := source[:min(offset, len(source))]
	begin := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[begin:]) + 1
}

// commandText returns a command in one line.
func commandText(text string) string {
	return strings.Join(strings.Fields(strings.TrimSuffix(strings.TrimSpace(text), ";")), " ")
}

// RunError is returned when a program cannot be applied to an object.
type RunError struct {
	// Event is the index of the event in the trace, and Time its time in unix seconds. Event is -1 for
	// an object that the program inserts.
	Event int
	Time  int64
	// Object is the kind and namespaced name, such as "apps/v1.Deployment default/web".
	Object string
	// Line and Column are the position of the command, or of a part of it, in the program. They are 0
	// if the error is not caused by a single command.
	Line, Column int
	Message      string

	text string
}

// Error returns a message with the event, the object and the command.
func (e *RunError) Error() string { return e.text }

// Where returns the event and the object.
func (e *RunError) Where() string {
	if e.Event == inserted {
		return "the inserted " + e.Object
	}
	return fmt.Sprintf("event %d at %d, %s", e.Event, e.Time, e.Object)
}

// runErrorCode is the code of errors that are only detected when a program runs.
const runErrorCode = "run"

// failed returns the error for an object that a machine could not process, or whose result is
// invalid.
func (p *Program) failed(event int, time int64, obj *trace.Object, err error) error {
	e := &RunError{Event: event, Time: time, Object: trace.FormatGVK(obj.GVK()) + " " + obj.NamespacedName()}
	var fault *machine.Error
	if !errors.As(err, &fault) {
		e.Message = "the result is not an object: " + err.Error()
		e.text = e.Where() + ": " + e.Message
		return e
	}
	e.Message = fault.Message
	e.Line, e.Column = position(p.syntax.Source, fault.Start)
	found := []syntax.Diagnostic{{Span: fault.Span, Code: runErrorCode, Message: e.Where() + ": " + e.Message}}
	e.text = strings.TrimRight(syntax.Render(p.name, p.syntax.Source, found, 0), "\n")
	return e
}
