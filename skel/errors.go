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

// Error says what is wrong with a program: everything that was found, in the order of the source.
type Error struct {
	// Name is what the source is called; it may be empty.
	Name        string
	Diagnostics []Diagnostic
	// More is how many further mistakes there are.
	More int

	text string
}

// Diagnostic is one mistake.
type Diagnostic struct {
	// Line and Column are where it begins, both from 1 on; columns count characters.
	Line, Column int
	// Start and End are the bytes of the source that are meant.
	Start, End int
	// Code names the kind of mistake; it stays the same when the message is put better.
	Code    string
	Message string
	// Hint says what would be right; it may be empty.
	Hint string
}

// Error shows each mistake with its line and a caret under what is meant.
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

// position gives the line and the column of a byte of the source, both from 1 on.
func position(source string, offset int) (line, column int) {
	before := source[:min(offset, len(source))]
	begin := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[begin:]) + 1
}

// commandText gives a command in one line.
func commandText(text string) string {
	return strings.Join(strings.Fields(strings.TrimSuffix(strings.TrimSpace(text), ";")), " ")
}

// RunError is returned when a program cannot do to an object what it says.
type RunError struct {
	// Event is the number of the event in the trace, from 0 on, and Time when it was, in unix seconds. For an object the program itself inserts, Event is -1.
	Event int
	Time  int64
	// Object is kind and namespaced name, as in "apps/v1.Deployment default/web".
	Object string
	// Line and Column are where the command, or the part of it that is meant, is in the program; 0 where it is no single one.
	Line, Column int
	Message      string

	text string
}

// Error says which event, which object and which command, and shows the command.
func (e *RunError) Error() string { return e.text }

// Where says which event and which object.
func (e *RunError) Where() string {
	if e.Event == inserted {
		return "the inserted " + e.Object
	}
	return fmt.Sprintf("event %d at %d, %s", e.Event, e.Time, e.Object)
}

// runErrorCode is the code of what only shows when a program runs.
const runErrorCode = "run"

// failed makes an error of what a machine could not do to an object, or of what came out of it.
func (p *Program) failed(event int, time int64, obj *trace.Object, err error) error {
	e := &RunError{Event: event, Time: time, Object: trace.FormatGVK(obj.GVK()) + " " + obj.NamespacedName()}
	var fault *machine.Error
	if !errors.As(err, &fault) {
		e.Message = "what the program makes of it is not an object: " + err.Error()
		e.text = e.Where() + ": " + e.Message
		return e
	}
	e.Message = fault.Message
	e.Line, e.Column = position(p.syntax.Source, fault.Start)
	found := []syntax.Diagnostic{{Span: fault.Span, Code: runErrorCode, Message: e.Where() + ": " + e.Message}}
	e.text = strings.TrimRight(syntax.Render(p.name, p.syntax.Source, found, 0), "\n")
	return e
}
