package skel

import (
	"fmt"
	"os"

	"simkube.io/simkube/skel/internal/machine"
	"simkube.io/simkube/skel/internal/syntax"
)

// Program is a compiled program. It is immutable and safe for concurrent use.
type Program struct {
	name   string
	syntax *syntax.Program
	code   *machine.Program
}

// Compile compiles a program. If the program is invalid, the error is an [*Error] with all
// mistakes.
func Compile(source string) (*Program, error) { return CompileNamed("", source) }

// CompileNamed is like Compile for a source with a name, such as a file name. The name appears in
// errors.
func CompileNamed(name, source string) (*Program, error) {
	parsed, found, more := syntax.Parse(source, syntax.DefaultLimits())
	if len(found) > 0 {
		return nil, newError(name, source, found, more)
	}
	return &Program{name: name, syntax: parsed, code: machine.Compile(parsed)}, nil
}

// CompileFile compiles the program in a file.
func CompileFile(path string) (*Program, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the program: %w", err)
	}
	return CompileNamed(path, string(source))
}

// Format returns a program in its canonical layout, with its comments. If the program is invalid,
// the error is an [*Error].
func Format(source string) (string, error) { return FormatNamed("", source) }

// FormatNamed is like Format for a source with a name.
func FormatNamed(name, source string) (string, error) {
	parsed, found, more := syntax.Parse(source, syntax.DefaultLimits())
	if len(found) > 0 {
		return "", newError(name, source, found, more)
	}
	return syntax.Format(parsed), nil
}

// Command is a command of a program, for display.
type Command struct {
	// Text is the command as it is written, without the semicolon.
	Text string
	// Line is the line on which it begins, from 1.
	Line int
}

// Commands returns the commands of the program in order.
func (p *Program) Commands() []Command {
	var out []Command
	for _, c := range p.syntax.Commands {
		line, _ := position(p.syntax.Source, c.Start)
		out = append(out, Command{Text: commandText(p.syntax.Source[c.Start:c.End]), Line: line})
	}
	return out
}
