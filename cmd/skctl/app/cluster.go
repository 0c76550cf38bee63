package app

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/skcluster"
)

const defaultCluster = "default"

func newCluster(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Run an embedded cluster for kubectl and your own programs",
		Long: `cluster runs a Kubernetes control plane with simulated nodes in the background, on the loopback
interface, for kubectl and your own programs. Its data is kept in memory, and lost when it stops.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(cmd, errors.New("cluster: missing subcommand: must be up, down, status or kubeconfig"))
		},
	}
	cmd.AddCommand(newClusterUp(p), newClusterDown(p), newClusterStatus(p), newClusterKubeconfig(p))
	return cmd
}

func addNameFlag(cmd *cobra.Command, name *string, value, text string) {
	cmd.Flags().StringVar(name, "name", value, text)
	_ = cmd.RegisterFlagCompletionFunc("name", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		clusters, err := skcluster.UserClusters()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		all, err := clusters.List()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var names []string
		for _, cluster := range all {
			names = append(names, cluster.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

// namedCluster returns a cluster, and an error if it is not running.
func namedCluster(name string) (skcluster.Cluster, error) {
	clusters, err := skcluster.UserClusters()
	if err != nil {
		return skcluster.Cluster{}, err
	}
	cluster, err := clusters.Get(name)
	switch {
	case errors.Is(err, skcluster.ErrNoCluster):
		return cluster, hint(err, "to start one, run skctl cluster up%s", nameFlag(name))
	case err != nil:
		return cluster, err
	case cluster.Status != skcluster.StatusRunning:
		return cluster, hint(fmt.Errorf("cluster %s is %s, not running", name, cluster.Status), "see its log: %s", cluster.Log())
	}
	return cluster, nil
}

// nameFlag returns the flag that selects this cluster, for hints.
func nameFlag(name string) string {
	if name == defaultCluster {
		return ""
	}
	return " --name " + name
}
