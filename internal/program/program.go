// Package program is shared by the command lines of the programs that run in a cluster (sk-tracer,
// sk-ctrl, sk-driver): printing of errors, exit codes, and flags for the log and for the cluster.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"simkube.io/simkube/internal/printable"
)

// Exit codes. A program may have more.
const (
	ExitDone   = 0
	ExitFailed = 1
	ExitUsage  = 2
)

// Streams are where a program writes: results to Out, logs and errors to Err.
type Streams struct{ Out, Err io.Writer }

// UsageError is returned for an invalid command line or environment.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// HintedError is an error with a hint on what the user can do about it.
type HintedError struct {
	Err  error
	Hint string
}

func (e *HintedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *HintedError) Unwrap() error { return e.Err }

// Prepare sets up a command that takes only flags, writes to the streams, and leaves the printing
// of errors to Run.
func Prepare(cmd *cobra.Command, streams Streams, version string) {
	cmd.Version = version
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return &UsageError{fmt.Errorf("unexpected %q: %s takes flags only", args[0], cmd.Name())}
	}
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.CompletionOptions = cobra.CompletionOptions{HiddenDefaultCmd: true}
	cmd.SetOut(streams.Out)
	cmd.SetErr(streams.Err)
	cmd.SetVersionTemplate(cmd.Name() + " {{.Version}}\n")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &UsageError{err} })
}

// Run runs a command until it is done or ctx ends, prints the error, and returns it with its exit
// code.
func Run(ctx context.Context, cmd *cobra.Command, args []string) (code int, err error) {
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(ctx)
	var usage *UsageError
	switch {
	case err == nil:
		return ExitDone, nil
	case errors.As(err, &usage):
		printError(cmd, err, "see "+cmd.Name()+" --help")
		return ExitUsage, err
	default:
		printError(cmd, err, "")
		return ExitFailed, err
	}
}

// printError prints an error, with a line for each joined error, and a hint if the error has one or
// the caller passes one.
func printError(cmd *cobra.Command, err error, hint string) {
	for line := range strings.Lines(printable.Text(err.Error())) {
		fmt.Fprintln(cmd.ErrOrStderr(), cmd.Name()+": "+strings.TrimRight(line, "\n"))
	}
	var hinted *HintedError
	if errors.As(err, &hinted) {
		hint = hinted.Hint
	}
	if hint != "" {
		fmt.Fprintln(cmd.ErrOrStderr(), "  hint: "+printable.Text(hint))
	}
}

const flagVerbosity = "verbosity"

// levels are the values of the flag.
func levels() []string { return []string{"error", "warn", "info", "debug"} }

// AddVerbosity adds the flag for the log level.
func AddVerbosity(flags *pflag.FlagSet, value *string) {
	flags.StringVarP(value, flagVerbosity, "v", "info", "what to log: error, warn, info or debug")
}

// CompleteVerbosity adds shell completion for the log level.
func CompleteVerbosity(cmd *cobra.Command) {
	// It fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flagVerbosity, cobra.FixedCompletions(levels(), cobra.ShellCompDirectiveNoFileComp))
}

// ParseLevel parses the value of the flag for the log level.
func ParseLevel(text string) (level slog.Level, err error) {
	if slices.Contains(levels(), strings.ToLower(text)) {
		return level, level.UnmarshalText([]byte(text))
	}
	return level, fmt.Errorf("%q: must be error, warn, info or debug", text)
}
