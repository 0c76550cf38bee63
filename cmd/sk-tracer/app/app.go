// Package app is the command line of sk-tracer: flags, wiring and output.
package app

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/program"
)

// Run runs the command line until it is done or ctx ends, prints errors, and returns the exit code.
func Run(ctx context.Context, streams program.Streams, version string, args []string) int {
	code, _ := program.Run(ctx, newCommand(streams, version), args)
	return code
}

func newCommand(streams program.Streams, version string) *cobra.Command {
	var opts options
	cmd := &cobra.Command{
		Use:   "sk-tracer --config-file FILE",
		Short: "Record a cluster, and export traces of it",
		Long: `sk-tracer follows the kinds in its configuration, the pods they own, and the nodes of a cluster.
It appends their changes to an event log on disk, which is limited by age and size. Any part of the log
can be exported as a trace: see skctl export.

Values of Secrets and of environment variables are not recorded in plain text, unless --redact says
otherwise. Everything else is: commands and arguments of containers, annotations, labels, the data of
ConfigMaps.

It only reads the cluster. SIGTERM ends it; what was recorded is not lost, however it ends.`,
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
