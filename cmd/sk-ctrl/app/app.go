// Package app is sk-ctrl's command line: its flags, environment variables and wiring. Package
// controller does the work.
package app

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/program"
)

// Run runs the command line until it is done or ctx is cancelled, prints errors, and returns the
// exit code.
func Run(ctx context.Context, streams program.Streams, version string, args []string) int {
	code, _ := program.Run(ctx, newCommand(streams, version), args)
	return code
}

func newCommand(streams program.Streams, version string) *cobra.Command {
	var opts options
	cmd := &cobra.Command{
		Use:   "sk-ctrl",
		Short: "Run the Simulations of a cluster",
		Long: `sk-ctrl runs the Simulations of a cluster: it makes them take turns, runs their hooks, starts a driver with
everything it needs for each, and cleans up at the end.

It requires two environment variables, which its manifests set: CTRL_NAMESPACE, its own namespace, and
POD_SVC_ACCOUNT, its own service account. Drivers use the same account unless DRIVER_SVC_ACCOUNT is set.

The annotation simkube.io/max-simulations of the lease sk-lease in its namespace sets how many simulations
may run at once (default: 1).`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := opts.parse()
			if err != nil {
				return err
			}
			logger := slog.New(slog.NewTextHandler(printable.NewWriter(streams.Err), &slog.HandlerOptions{Level: settings.level}))
			return run(cmd.Context(), &opts, settings, version, logger)
		},
	}
	program.Prepare(cmd, streams, version)
	opts.addFlags(cmd.Flags())
	opts.complete(cmd)
	return cmd
}
