// Package app is sk-ctrl's command line: flags, environment, and wiring. The work is done by package controller.
package app

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/program"
)

// Run runs the command line until it is done or ctx ends, prints what went wrong, and returns the exit code.
func Run(ctx context.Context, streams program.Streams, version string, args []string) int {
	code, _ := program.Run(ctx, newCommand(streams, version), args)
	return code
}

func newCommand(streams program.Streams, version string) *cobra.Command {
	var opts options
	cmd := &cobra.Command{
		Use:   "sk-ctrl",
		Short: "Run the Simulations of a cluster",
		Long: `sk-ctrl looks after the Simulations of a cluster: it has them take turns, runs their hooks, starts a driver for each with all that it
needs, and removes what was made in the end.

It needs two environment variables, which its manifests set: CTRL_NAMESPACE, the namespace that it is in, and POD_SVC_ACCOUNT, its own service
account, which is also that of the drivers unless DRIVER_SVC_ACCOUNT names another.

How many simulations may run at once is said by the annotation simkube.io/max-simulations of the lease sk-lease in its namespace (default: 1).`,
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
