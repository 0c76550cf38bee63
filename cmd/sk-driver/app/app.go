// Package app is sk-driver's command line: flags, wiring, and what is printed. The work is done by package driver.
package app

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/driver"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/program"
)

// exitRetry is the exit code of a driver that is worth starting again.
const exitRetry = 3

// Run runs the command line until it is done or ctx ends, prints what went wrong, and returns the exit code.
func Run(ctx context.Context, streams program.Streams, version string, args []string) int {
	code, err := program.Run(ctx, newCommand(streams, version), args)
	var failure *driver.Failure
	if code == program.ExitFailed && !errors.As(err, &failure) {
		return exitRetry
	}
	return code
}

func newCommand(streams program.Streams, version string) *cobra.Command {
	var opts options
	cmd := &cobra.Command{
		Use:   "sk-driver --sim-name NAME --controller-ns NAMESPACE --cert-path FILE --key-path FILE --trace-path PATH",
		Short: "Replay the trace of one Simulation inside a cluster",
		Long: `sk-driver replays the trace of a Simulation in the cluster it runs in, and answers the admission reviews of the simulated pods meanwhile. sk-ctrl starts
it as a Job; there is seldom a reason to start it by hand.

It may be killed at any moment: started again, it goes on where it was. SIGTERM ends it and leaves the simulation as it is.

Exit codes: 0 the simulation is finished; 1 it has failed, and why is in its status; 2 the command line is wrong; 3 it ended early, and another start
goes on with it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			level, err := opts.check()
			if err != nil {
				return err
			}
			logger := slog.New(slog.NewTextHandler(printable.NewWriter(streams.Err), &slog.HandlerOptions{Level: level}))
			return run(cmd.Context(), &opts, version, logger)
		},
	}
	program.Prepare(cmd, streams, version)
	opts.addFlags(cmd.Flags())
	program.CompleteVerbosity(cmd)
	return cmd
}
