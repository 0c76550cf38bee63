package app

import (
	"errors"

	"github.com/spf13/cobra"
)

func newNodes(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "nodes",
		Short: "Show what nodes a simulation can have",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(cmd, errors.New("nodes: missing subcommand: must be types"))
		},
	}
	cmd.AddCommand(newNodesTypes(p))
	return cmd
}
