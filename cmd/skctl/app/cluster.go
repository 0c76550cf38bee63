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
		Short: "Keep an embedded cluster running, for kubectl and your own programs",
		Long: `cluster keeps a Kubernetes control plane with simulated nodes running in the background,
on the loopback interface, for kubectl and for programs of your own. What it holds is kept in
memory and gone when it stops.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(cmd, errors.New("cluster: say up, down, status or kubeconfig"))
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

// namedCluster returns a cluster that can be used.
func namedCluster(name string) (skcluster.Cluster, error) {
	clusters, err := skcluster.UserClusters()
	if err != nil {
		return skcluster.Cluster{}, err
	}
	cluster, err := clusters.Get(name)
	switch {
	case errors.Is(err, skcluster.ErrNoCluster):
		return cluster, hint(err, "start one: skctl cluster up%s", nameFlag(name))
	case err != nil:
		return cluster, err
	case cluster.Status != skcluster.StatusRunning:
		return cluster, hint(fmt.Errorf("cluster %s is %s, not running", name, cluster.Status), "its log is %s", cluster.Log())
	}
	return cluster, nil
}

// nameFlag is what to add to a command for this cluster.
func nameFlag(name string) string {
	if name == defaultCluster {
		return ""
	}
	return " --name " + name
}
