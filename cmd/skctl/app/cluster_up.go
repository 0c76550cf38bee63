package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/skcluster"
)

type clusterUpOptions struct {
	skcluster.UpOptions
	name       string
	autoscaler autoscalerFlags
}

func newClusterUp(p *program) *cobra.Command {
	var opts clusterUpOptions
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a cluster and wait until it is ready",
		Long: `up starts a Kubernetes cluster on this machine that lasts until skctl cluster down: a real
control plane, with nodes and pods that are simulated. With --autoscaler karpenter, Karpenter adds nodes
for pods that have none.`,
		Example: `  skctl cluster up --nodes 20
  export KUBECONFIG=$(skctl cluster kubeconfig --path)
  kubectl get nodes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.check(); err != nil {
				return usage(cmd, err)
			}
			return p.runClusterUp(cmd.Context(), opts)
		},
	}
	addNameFlag(cmd, &opts.name, defaultCluster, "name of the cluster")
	addClusterFlags(cmd, &opts.Nodes, &opts.NodeShape, &opts.SchedulerConfig, &opts.CRDs, &opts.Stages, &opts.KubeAPIQPS)
	opts.autoscaler.add(cmd)
	cmd.Flags().IntVar(&opts.Port, "port", 0, "port of the API server on the loopback interface (default any free port)")
	return cmd
}

// check returns all errors of the flags at once.
func (o *clusterUpOptions) check() error {
	problems := []error{skcluster.CheckName(o.name)}
	if o.Port < 0 || o.Port > 65535 {
		problems = append(problems, fmt.Errorf("invalid --port %d: must be 1 to 65535", o.Port))
	}
	if o.Nodes != "" || o.NodeShape != "" {
		spec, err := nodes.ParseSpec(o.Nodes, o.NodeShape)
		problems = append(problems, err, checkFiles("nodes", spec.File))
		if err == nil && (spec.Auto() || spec.Recorded) {
			problems = append(problems, fmt.Errorf("invalid --nodes %q: must be a number or a file; there is no trace", o.Nodes))
		}
	}
	problems = append(problems,
		checkFiles("scheduler-config", o.SchedulerConfig),
		checkFiles("crds", o.CRDs...),
		checkFiles("kwok-stages", o.Stages...))
	var err error
	o.Autoscaler, err = o.autoscaler.spec()
	return errors.Join(append(problems, err)...)
}

func (p *program) runClusterUp(ctx context.Context, opts clusterUpOptions) error {
	clusters, err := skcluster.UserClusters()
	if err != nil {
		return err
	}
	opts.Path, err = skcluster.Find(simulation.Real)
	if err != nil {
		return err
	}
	began := time.Now()
	if isTerminal(p.streams.Err) {
		p.notef("starting cluster %s...", opts.name)
	}
	cluster, already, err := clusters.Up(ctx, opts.name, opts.UpOptions)
	if err != nil {
		return fmt.Errorf("start cluster %s: %w", opts.name, err)
	}
	if already {
		p.notef("cluster %s has been running since %s; it was not changed", cluster.Name, cluster.StartedAt.Local().Format(time.DateTime))
	} else {
		p.notef("cluster %s is ready (Kubernetes %s) after %s", cluster.Name, cluster.Version, time.Since(began).Round(100*time.Millisecond))
	}
	p.notef("to stop it, run skctl cluster down%s", nameFlag(cluster.Name))
	_, err = fmt.Fprintf(p.streams.Out, "export KUBECONFIG=%s\n", shellQuote(cluster.Kubeconfig))
	return err
}
