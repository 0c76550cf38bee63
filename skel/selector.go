package skel

import (
	"simkube.io/simkube/skel/internal/machine"
	"simkube.io/simkube/skel/internal/syntax"
	"simkube.io/simkube/trace"
)

// Selector is a compiled selector: the first argument of a command. It is immutable and safe for
// concurrent use.
type Selector struct {
	source string
	code   *machine.Program
}

// CompileSelector compiles a selector. "*" and the empty text match everything. If the selector is
// invalid, the error is an [*Error].
func CompileSelector(source string) (*Selector, error) {
	parsed, found, more := syntax.ParseSelector(source, syntax.DefaultLimits())
	if len(found) > 0 {
		return nil, newError("", source, found, more)
	}
	return &Selector{source: source, code: machine.CompileSelector(parsed)}, nil
}

// String returns the selector as it was written.
func (s *Selector) String() string { return s.source }

// Matcher returns a function that reports whether the selector matches an object at a time, in a
// trace that begins at start. Times are in unix seconds. The function is not safe for concurrent
// use. It returns an error if values cannot be compared.
func (s *Selector) Matcher(start int64) func(time int64, obj *trace.Object) (bool, error) {
	return machine.New(s.code, start, machine.DefaultLimits()).Matches
}
