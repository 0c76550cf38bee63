package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/skcluster"
)

// The exit codes, for every command.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitAssertion   = 3 // a simulation ran, but an assertion about it failed
	exitInterrupted = 130
	exitUnread      = 141 // nobody reads the output any more; shells know it as that of programs that such a pipe ends
)

// errInterrupted is why a context ended that the user ended.
var errInterrupted = errors.New("interrupted")

// exitCode is the one place where an error becomes an exit code.
func exitCode(ctx context.Context, err error) int {
	var wrong *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		return exitUsage
	case errors.Is(context.Cause(ctx), errUnread):
		return exitUnread
	case errors.Is(err, errInterrupted), errors.Is(context.Cause(ctx), errInterrupted):
		return exitInterrupted
	default:
		return exitFailed
	}
}

// usageError is returned for a command line that cannot be meant.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }
func (e *usageError) Hint() string  { return e.hint }

func usage(cmd *cobra.Command, err error) error {
	return &usageError{err: err, hint: fmt.Sprintf("see %s --help", cmd.CommandPath())}
}

// hintedError adds to an error what the user may do about it.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }
func (e *hintedError) Hint() string  { return e.hint }

func hint(err error, format string, args ...any) error {
	return &hintedError{err: err, hint: fmt.Sprintf(format, args...)}
}

// printError writes an error and what to do about it to the error stream.
func (p *program) printError(err error) {
	style := p.style(p.streams.Err)
	text := strings.TrimRight(printable.Text(err.Error()), "\n")
	if text == "" {
		text = "unknown error"
	}
	for line := range strings.Lines(text) {
		// What goes on from the line before, such as a program's output, is indented; an empty line sets errors apart.
		if !strings.HasPrefix(line, " ") && strings.TrimSpace(line) != "" {
			fmt.Fprint(p.streams.Err, style.error("skctl:")+" ")
		}
		fmt.Fprintln(p.streams.Err, strings.TrimRight(line, "\n"))
	}
	for line := range strings.Lines(printable.Text(hintFor(err))) {
		fmt.Fprintf(p.streams.Err, "  %s %s\n", style.dim("hint:"), strings.TrimRight(line, "\n"))
	}
}

// hintFor returns the remedy an error brings along, or one known here.
func hintFor(err error) string {
	var hinted interface {
		error
		Hint() string
	}
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	var crash *skcluster.CrashError
	switch {
	case errors.As(err, &crash) && crash.Log != "":
		return "the full log is in " + crash.Log
	case errors.Is(err, skcluster.ErrNotFound):
		return "`make build` in SimKube's source puts it beside skctl; " + skcluster.EnvVirtualPath +
			" (for --time real and clusters: " + skcluster.EnvPath + ") names one elsewhere"
	}
	return ""
}
