package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/skcluster"
	"simkube.io/simkube/trace"
)

// The exit codes of all commands.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitDeviations  = 3 // a simulation ran, but was not as recorded, with --strict
	exitInterrupted = 130
	exitUnread      = 141 // the reader of the output is gone; 128 + SIGPIPE, as in a shell
)

// errInterrupted is the cause of a context that was cancelled by an interrupt.
var errInterrupted = errors.New("interrupted")

// errDeviations is wrapped by the error of a simulation with deviations, with --strict.
var errDeviations = errors.New("not as recorded")

// exitCode maps an error to an exit code.
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
	case errors.Is(err, errDeviations):
		return exitDeviations
	default:
		return exitFailed
	}
}

// usageError is returned for an invalid command line.
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

// hintedError adds a hint to an error: what the user may do about it.
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

// printError prints an error and its hints to the error stream.
func (p *program) printError(err error) {
	style := p.style(p.streams.Err)
	text := strings.TrimRight(printable.Text(err.Error()), "\n")
	if text == "" {
		text = "unknown error"
	}
	for line := range strings.Lines(text) {
		// Indented lines continue the one before, such as a program's output. Empty lines separate
		// errors.
		if !strings.HasPrefix(line, " ") && strings.TrimSpace(line) != "" {
			fmt.Fprint(p.streams.Err, style.error("skctl:")+" ")
		}
		fmt.Fprintln(p.streams.Err, strings.TrimRight(line, "\n"))
	}
	for line := range strings.Lines(printable.Text(hintFor(err))) {
		fmt.Fprintf(p.streams.Err, "  %s %s\n", style.dim("hint:"), strings.TrimRight(line, "\n"))
	}
}

// hintFor returns the hint of an error, or one for an error known here.
func hintFor(err error) string {
	var hinted interface {
		error
		Hint() string
	}
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	var (
		crash *skcluster.CrashError
		not   *trace.NotTraceError
	)
	switch {
	case errors.As(err, &not):
		return formatHint(not.Format)
	case errors.As(err, &crash) && crash.Log != "":
		return "the full log is in " + crash.Log
	case errors.Is(err, skcluster.ErrNotFound):
		return "run `make build` in SimKube's source, or set " + skcluster.EnvVirtualPath +
			" (for --time real and clusters, " + skcluster.EnvPath + ") to its path"
	}
	return ""
}
