// Package app is sk-driver's command line: flags, wiring, and what is printed. The work is done by package driver.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/driver"
)

// The exit codes. A pod that ends with exitRetry is worth starting again.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitRetry  = 3
)

// Streams are where sk-driver writes to: what was asked for to Out, logs and errors to Err.
type Streams struct{ Out, Err io.Writer }

// usageError is returned for a command line that cannot be meant.
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
		fmt.Fprintln(streams.Err, "sk-driver: "+strings.TrimRight(line, "\n"))
	}
	var wrong *usageError
	var failure *driver.Failure
	switch {
	case errors.As(err, &wrong):
		fmt.Fprintln(streams.Err, "  hint: see sk-driver --help")
		return exitUsage
	case errors.As(err, &failure):
		return exitFailed
	}
	return exitRetry
}

func newCommand(streams Streams, version string) *cobra.Command {
	var opts options
	cmd := &cobra.Command{
		Use:   "sk-driver --sim-name NAME --controller-ns NAMESPACE --cert-path FILE --key-path FILE --trace-path PATH",
		Short: "Replay the trace of one Simulation inside a cluster",
		Long: `sk-driver replays the trace of a Simulation in the cluster it runs in, and answers the admission reviews of the simulated pods meanwhile. sk-ctrl starts
it as a Job; there is seldom a reason to start it by hand.

It may be killed at any moment: started again, it goes on where it was. SIGTERM ends it and leaves the simulation as it is.

Exit codes: 0 the simulation is finished; 1 it has failed, and why is in its status; 2 the command line is wrong; 3 it ended early, and another start
goes on with it.`,
		Version:           version,
		Args:              noArguments,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE: func(cmd *cobra.Command, _ []string) error {
			level, err := opts.check()
			if err != nil {
				return err
			}
			logger := slog.New(slog.NewTextHandler(streams.Err, &slog.HandlerOptions{Level: level}))
			return run(cmd.Context(), &opts, version, logger)
		},
	}
	cmd.SetOut(streams.Out)
	cmd.SetErr(streams.Err)
	cmd.SetVersionTemplate("sk-driver {{.Version}}\n")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	opts.addFlags(cmd.Flags())
	return cmd
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{fmt.Errorf("unexpected %q: sk-driver takes flags only", args[0])}
}
