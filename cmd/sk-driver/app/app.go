// Package app is sk-driver's command line: its flags, wiring and output. Package driver does the
// work.
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

// exitRetry is the exit code of a driver that should be restarted.
const exitRetry = 3

// Run runs the command line until it is done or ctx is cancelled, prints errors, and returns the
// exit code.
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
		Long: `sk-driver replays the trace of a Simulation in the cluster it runs in, and serves the admission webhook
of the simulated pods meanwhile. sk-ctrl starts it as a Job; you rarely need to start it yourself.

It may be killed at any time: if it is started again, it resumes. SIGTERM stops it without ending the simulation.

Exit codes: 0 the simulation has finished; 1 it has failed, and its status says why; 2 invalid usage; 3 the
driver exited early, and resumes if it is started again.`,
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
