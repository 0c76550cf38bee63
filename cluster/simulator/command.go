package simulator

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/subprocess"
)

// runCommand runs the command line and returns the process's exit code.
func runCommand(args []string, out, errOut io.Writer, a additions) int {
	virtualtime.Prepare()
	root := &cobra.Command{
		Use:           "sk-cluster",
		Short:         "The embedded Kubernetes control plane of SimKube",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	root.AddCommand(newServe(a), newSimulate(a), newGuard(), newVersion())
	if err := root.Execute(); err != nil {
		fmt.Fprintln(errOut, "sk-cluster:", err)
		return 1
	}
	return 0
}

func newServe(a additions) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a control plane until it is stopped",
		Long: `Serve runs a control plane with simulated nodes until SIGTERM or SIGINT. With --dir it
writes DIR/kubeconfig, DIR/log.txt and, once the cluster can be used, DIR/ready.json. The
content of the cluster is kept in memory and lost when it stops.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), o, a, cmd.OutOrStdout()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "folder for kubeconfig, ready.json and log.txt (default: a temporary one)")
	f.IntVar(&o.port, "port", 0, "loopback port of the API server (0: a free one)")
	f.StringVar(&o.schedulerConfig, "scheduler-config", "", "KubeSchedulerConfiguration file")
	f.StringSliceVar(&o.controllers, "controllers", nil, "kube-controller-manager's --controllers")
	f.StringArrayVar(&o.crds, "crd", nil, "file of CustomResourceDefinitions to install (repeatable)")
	f.StringArrayVar(&o.stages, "kwok-stage", nil, "file of KWOK stages to add or replace (repeatable)")
	f.StringVar(&o.nodes, "nodes", "", "nodes to create: a number, or a file of manifests (default none)")
	f.StringVar(&o.shape, "node-shape", "", "shape of counted nodes, e.g. cpu=32,memory=128Gi,pods=110")
	f.Float32Var(&o.kubeAPIQPS, "kube-api-qps", 0, "client-side rate limit of scheduler and controllers (0: as in a default cluster, -1: none)")
	f.StringVar((*string)(&o.autoscaler.Kind), "autoscaler", "", "what adds and removes nodes: karpenter (default nothing)")
	f.StringVar(&o.autoscaler.NodePools, "nodepools", "", "file of NodePools and node classes (default one pool)")
	f.StringVar(&o.autoscaler.InstanceTypes, "instance-types", "", "built-in list of instance types, or a file (default general)")
	f.StringVar(&o.autoscaler.FeatureGates, "karpenter-feature-gates", "", "Karpenter's feature gates")
	f.DurationVar(&o.autoscaler.ConsolidationInterval, "consolidation-interval", 0, "how long Karpenter waits until it looks for underutilized nodes again (default 10s)")
	f.IntVarP(&o.verbosity, "verbosity", "v", 0, "log verbosity of the Kubernetes components")
	return cmd
}

func newSimulate(a additions) *cobra.Command {
	return &cobra.Command{
		Use:   "simulate",
		Short: "Run one simulation for skctl, which talks to it over inherited pipes",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runChild(cmd.Context(), a) },
	}
}

// guardCommand is the name of the command that runs a guard.
const guardCommand = "guard"

func newGuard() *cobra.Command {
	return &cobra.Command{
		Use:    guardCommand + " COMMAND",
		Short:  "Run a program for sk-cluster simulate, and end it when the standard input ends",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(_ *cobra.Command, args []string) error { return subprocess.Guard(args[0], programGrace) },
	}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), kubernetesVersion())
			return err
		},
	}
}

// versions returns what the results of a simulation depend on beside the trace and the settings.
func versions() map[string]string {
	return map[string]string{"kubernetes": kubernetesVersion(), "kwok": moduleVersion("sigs.k8s.io/kwok")}
}

// kubernetesVersion returns the version of the Kubernetes that is linked in.
func kubernetesVersion() string { return moduleVersion("k8s.io/kubernetes") }

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dep := range info.Deps {
		if dep.Path == path {
			return dep.Version
		}
	}
	return "unknown"
}
