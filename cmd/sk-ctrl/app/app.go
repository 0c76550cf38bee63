// Package app is sk-ctrl's command line: flags, environment, and wiring. The work is done by package simctl.
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

// Streams are where sk-ctrl writes to: what was asked for to Out, logs and errors to Err.
type Streams struct{ Out, Err io.Writer }

// usageError is returned for a command line or an environment that cannot be meant.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// Run runs the command line until it is done or ctx ends, prints what went wrong, and returns the exit code.
func Run(ctx context.Context, streams Streams, version string, args []string) int {
	cmd := newCommand(streams, version)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(streams.Err, "sk-ctrl: "+strings.TrimRight(line, "\n"))
	}
	var wrong *usageError
	if errors.As(err, &wrong) {
		fmt.Fprintln(streams.Err, "  hint: see sk-ctrl --help")
		return exitUsage
	}
	return exitFailed
}

func newCommand(streams Streams, version string) *cobra.Command {
	var opts options
	cmd := &cobra.Command{
		Use:   "sk-ctrl",
		Short: "Run the Simulations of a cluster",
		Long: `sk-ctrl looks after the Simulations of a cluster: it has them take turns, runs their hooks, starts a driver for each with all that it
needs, and removes what was made in the end.

It needs two environment variables, which its manifests set: CTRL_NAMESPACE, the namespace that it is in, and POD_SVC_ACCOUNT, its own service
account, which is also that of the drivers unless DRIVER_SVC_ACCOUNT names another.

How many simulations may run at once is said by the annotation simkube.io/max-simulations of the lease sk-lease in its namespace (default: 1).`,
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
	cmd.SetVersionTemplate("sk-ctrl {{.Version}}\n")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	opts.addFlags(cmd.Flags())
	opts.complete(cmd)
	return cmd
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{fmt.Errorf("unexpected %q: sk-ctrl takes flags only", args[0])}
}
