// Package program is what the command lines of the programs that run in a cluster (sk-tracer, sk-ctrl, sk-driver) have in common: what they
// print when something is wrong, their exit codes, the flags for their log and for the cluster.
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

// The exit codes. A program may have more.
const (
	ExitDone   = 0
	ExitFailed = 1
	ExitUsage  = 2
)

// Streams are where a program writes to: what was asked for to Out, logs and errors to Err.
type Streams struct{ Out, Err io.Writer }

// UsageError is an error of a command line or an environment that cannot be meant.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// HintedError adds to an error what the user may do about it.
type HintedError struct {
	Err  error
	Hint string
}

func (e *HintedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *HintedError) Unwrap() error { return e.Err }

// Prepare makes a command one that takes flags only, writes to the streams, and leaves it to Run to print what went wrong.
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

// Run runs a command until it is done or ctx ends, prints what went wrong, and returns the error and the exit code for it.
func Run(ctx context.Context, cmd *cobra.Command, args []string) (code int, err error) {
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(ctx)
	var wrong *UsageError
	switch {
	case err == nil:
		return ExitDone, nil
	case errors.As(err, &wrong):
		printError(cmd, err, "see "+cmd.Name()+" --help")
		return ExitUsage, err
	default:
		printError(cmd, err, "")
		return ExitFailed, err
	}
}

// printError prints an error, a line for each that it joins, and what to do about it if the error or the caller knows.
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

// levels are its values.
func levels() []string { return []string{"error", "warn", "info", "debug"} }

// AddVerbosity adds the flag that says what to log.
func AddVerbosity(flags *pflag.FlagSet, value *string) {
	flags.StringVarP(value, flagVerbosity, "v", "info", "what to log: error, warn, info or debug")
}

// CompleteVerbosity has a shell complete the values of that flag.
func CompleteVerbosity(cmd *cobra.Command) {
	// It fails for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flagVerbosity, cobra.FixedCompletions(levels(), cobra.ShellCompDirectiveNoFileComp))
}

// ParseLevel reads the flag that says what to log.
func ParseLevel(text string) (level slog.Level, err error) {
	if slices.Contains(levels(), strings.ToLower(text)) {
		return level, level.UnmarshalText([]byte(text))
	}
	return level, fmt.Errorf("%q: accepted are error, warn, info and debug", text)
}
