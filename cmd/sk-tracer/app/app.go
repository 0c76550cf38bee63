// Package app is sk-tracer's command line: flags, wiring, and what is printed. The work is done by the packages it calls.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Streams are where sk-tracer writes to: what was asked for to Out, logs and errors to Err.
type Streams struct{ Out, Err io.Writer }

// usageError is returned for a command line that cannot be meant.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// hintedError adds to an error what the user may do about it.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }
func (e *hintedError) Hint() string  { return e.hint }

// Run runs the command line until it is done or ctx ends, prints what went wrong, and returns the exit code.
func Run(ctx context.Context, streams Streams, version string, args []string) int {
	cmd := newCommand(streams, version)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	var wrong *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		printError(streams.Err, err, "see sk-tracer --help")
		return exitUsage
	default:
		printError(streams.Err, err, "")
		return exitFailed
	}
}

// printError prints an error, a line for each that it joins, and what to do about it if the error or the caller knows.
func printError(w io.Writer, err error, hint string) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(w, "sk-tracer: "+strings.TrimRight(line, "\n"))
	}
	var hinted interface {
		error
		Hint() string
	}
	if errors.As(err, &hinted) {
		hint = hinted.Hint()
	}
	if hint != "" {
		fmt.Fprintln(w, "  hint: "+hint)
	}
}

func newCommand(streams Streams, version string) *cobra.Command {
	var opts options
	cmd := &cobra.Command{
		Use:   "sk-tracer --config-file FILE",
		Short: "Record what happens in a cluster, and export it as a trace",
		Long: `sk-tracer follows the kinds that its configuration names, the pods they own and the nodes of a cluster. What happens it appends to an event
log on disk, which keeps as much as age and size allow, and from which any part can be exported as a trace: see skctl export.

It reads, and never changes, the cluster. SIGTERM ends it; nothing that it had recorded is lost, whichever way it ends.`,
		Version:           version,
		Args:              noArguments,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := opts.parse()
			if err != nil {
				return err
			}
			logger := slog.New(slog.NewTextHandler(streams.Err, &slog.HandlerOptions{Level: settings.level}))
			return run(cmd.Context(), &opts, settings, version, logger)
		},
	}
	cmd.SetOut(streams.Out)
	cmd.SetErr(streams.Err)
	cmd.SetVersionTemplate("sk-tracer {{.Version}}\n")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	opts.addFlags(cmd.Flags())
	opts.complete(cmd)
	return cmd
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage("unexpected %q: sk-tracer takes flags only", args[0])
}
