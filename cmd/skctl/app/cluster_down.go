package app

import (
	"errors"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/skcluster"
)

func newClusterDown(p *program) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop a cluster and delete its data",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := skcluster.CheckName(name); err != nil {
				return usage(cmd, err)
			}
			clusters, err := skcluster.UserClusters()
			if err != nil {
				return err
			}
			err = clusters.Down(cmd.Context(), name)
			if errors.Is(err, skcluster.ErrNoCluster) {
				// This is not an error: the cluster is down.
				p.notef("cluster %s does not exist", name)
				return nil
			}
			if err != nil {
				return err
			}
			p.notef("cluster %s has stopped", name)
			return nil
		},
	}
	addNameFlag(cmd, &name, defaultCluster, "name of the cluster")
	return cmd
}
