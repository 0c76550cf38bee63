package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"

	simkubev1 "simkube.io/simkube/api/v1"
)

func newRun(p *program) *cobra.Command {
	opts := runOptions{kube: newKubeFlags()}
	cmd := &cobra.Command{
		Use:     "run NAME",
		Aliases: []string{"r"},
		Short:   "Replay a trace in a cluster",
		Long:    runHelp,
		Example: `  skctl run friday -f s3://traces/friday.sktrace --driver-secrets s3-reader --watch
  skctl run twice --trace-path /data/trace -D 2h --speed 10 --repetitions 2 --results pvc/results
  skctl run friday --hooks cache.yml:nodes.yml --dry-run > friday.yaml`,
		Args:              oneArg("NAME"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			sim, err := opts.simulation(cmd, args[0], time.Now())
			if err != nil {
				return usage(cmd, err)
			}
			if opts.strict && !opts.watch {
				return usage(cmd, errors.New("invalid --strict: it needs --watch"))
			}
			if opts.dryRun {
				return p.printSimulation(sim)
			}
			isWanted := slices.ContainsFunc(metricsFlags(), cmd.Flags().Changed)
			return p.withSimulations(cmd.Context(), opts.kube, func(ctx context.Context, sims *simulations) error {
				return p.runRun(ctx, sims, sim, isWanted, opts)
			})
		},
	}
	opts.addFlags(cmd, p.version)
	return cmd
}

// runRun creates a simulation. isWanted reports whether the user asked for metrics.
func (p *program) runRun(ctx context.Context, sims *simulations, sim *simkubev1.Simulation, isWanted bool, opts runOptions) error {
	if sim.Spec.Metrics != nil && !isWanted {
		has, err := sims.hasPrometheus(ctx)
		if err != nil {
			return err
		}
		if !has {
			sim.Spec.Metrics = nil
			p.notef("no metrics are collected: the cluster does not have the Prometheus operator (use --disable-metrics to silence this)")
		}
	}
	if err := sims.create(ctx, sim); err != nil {
		return err
	}
	if opts.watch {
		p.notef("simulation %s created", sim.Name)
		return p.watchSimulation(ctx, sims, sim.Name, opts.strict)
	}
	if err := p.printChanged(sim.Name, "created"); err != nil {
		return err
	}
	next := fmt.Sprintf("to follow its progress, run %s wait %s", p.name, sim.Name)
	if sim.Spec.PausedTime != nil {
		next = fmt.Sprintf("it is paused; to start it, run %s resume %s", p.name, sim.Name)
	}
	p.notef("%s", next)
	return nil
}

// printSimulation prints a Simulation as a manifest.
func (p *program) printSimulation(sim *simkubev1.Simulation) error {
	object, err := asObject(sim)
	if err != nil {
		return err
	}
	return printStructured(p.streams.Out, outputYAML, object.Object)
}

// printChanged prints what was done, in kubectl's format.
func (p *program) printChanged(name, what string) error {
	return p.printf("%s/%s %s\n", simulationsName, name, what)
}

// simulationsName is the name of the kind in kubectl's format.
const simulationsName = "simulation." + simkubev1.GroupName

// prometheusGroup is the API of the Prometheus operator.
const prometheusGroup = "monitoring.coreos.com/v1"

// hasPrometheus reports whether the cluster has the operator's kind Prometheus.
func (s *simulations) hasPrometheus(ctx context.Context) (bool, error) {
	client, err := discovery.NewDiscoveryClientForConfigAndClient(s.config, s.client.client)
	if err != nil {
		return false, fmt.Errorf("use the kubeconfig: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	var resources metav1.APIResourceList
	err = client.RESTClient().Get().AbsPath("/apis/" + prometheusGroup).Do(ctx).Into(&resources)
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, hint(fmt.Errorf("look for the Prometheus operator: %w", err), "use --disable-metrics to run without it")
	}
	return slices.ContainsFunc(resources.APIResources, func(r metav1.APIResource) bool { return r.Name == "prometheuses" }), nil
}
