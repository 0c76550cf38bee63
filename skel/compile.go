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

// Compile compiles a program. What is wrong with it is an [*Error] that tells all mistakes.
func Compile(source string) (*Program, error) { return CompileNamed("", source) }

// CompileNamed is Compile of a source that has a name, such as that of its file, by which errors call it.
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

// Format gives a program in its canonical layout, with its comments. What is wrong with it is an [*Error].
func Format(source string) (string, error) { return FormatNamed("", source) }

// FormatNamed is Format of a source that has a name.
func FormatNamed(name, source string) (string, error) {
	parsed, found, more := syntax.Parse(source, syntax.DefaultLimits())
	if len(found) > 0 {
		return "", newError(name, source, found, more)
	}
	return syntax.Format(parsed), nil
}

// Command is a command of a program, for showing.
type Command struct {
	// Text is the command as it is written, without the semicolon.
	Text string
	// Line is where it begins, from 1 on.
	Line int
}

// Commands gives the commands of the program in order.
func (p *Program) Commands() []Command {
	var out []Command
	for _, c := range p.syntax.Commands {
		line, _ := position(p.syntax.Source, c.Start)
		out = append(out, Command{Text: commandText(p.syntax.Source[c.Start:c.End]), Line: line})
	}
	return out
}
