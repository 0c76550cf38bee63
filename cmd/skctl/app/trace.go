package app

import "github.com/spf13/cobra"

// newTrace is the command of the tools for trace files. Each of them is a file of its own.
func newTrace(_ *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "trace",
		Aliases: []string{"traces", "tr"},
		Short:   "Look into traces, and make others of them",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand()
	return cmd
}
