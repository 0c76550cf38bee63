// Package app is sk-tracer's command line: flags, wiring, and what is printed. The work is done by the packages it calls.
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
		Use:   "sk-tracer --config-file FILE",
		Short: "Record what happens in a cluster, and export it as a trace",
		Long: `sk-tracer follows the kinds that its configuration names, the pods they own and the nodes of a cluster. What happens it appends to an event
log on disk, which keeps as much as age and size allow, and from which any part can be exported as a trace: see skctl export.

Values of Secrets and of environment variables are not recorded in clear, unless --redact says otherwise; all else is: commands and arguments of
containers, annotations, labels, the data of ConfigMaps.

It reads, and never changes, the cluster. SIGTERM ends it; nothing that it had recorded is lost, whichever way it ends.`,
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
