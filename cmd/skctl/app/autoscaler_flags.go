package app

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/instancetypes"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/words"
)

// autoscalerFlags are the values of the flags about an autoscaler.
type autoscalerFlags struct {
	kind                                   string
	nodePools, instanceTypes, featureGates string
	fullLoop                               bool
}

func (o *autoscalerFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.kind, "autoscaler", string(simulation.NoAutoscaler), "what adds and removes nodes: none, or karpenter; with karpenter there are no nodes at the start, unless --nodes is set; it gets recorded ones")
	f.StringVar(&o.nodePools, "nodepools", "", "file of NodePools and node classes for Karpenter (default a pool of all on-demand amd64 types)")
	f.StringVar(&o.instanceTypes, "instance-types", "", "instance types for Karpenter, with prices: "+words.Or(append(instancetypes.Names(), "a file")...)+" (default general)")
	f.StringVar(&o.featureGates, "karpenter-feature-gates", "", "Karpenter's feature gates, e.g. SpotToSpotConsolidation=true")
	f.BoolVar(&o.fullLoop, "karpenter-full-loop", false, "look for nodes to disrupt also if nothing has changed; takes longer, for the same decisions")
	_ = f.MarkHidden("karpenter-full-loop")
	_ = cmd.MarkFlagFilename("nodepools", "yaml", "yml", "json")
	_ = cmd.RegisterFlagCompletionFunc("autoscaler", cobra.FixedCompletions(
		[]string{string(simulation.NoAutoscaler), string(simulation.Karpenter)}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("instance-types", completeInstanceTypes)
	_ = cmd.RegisterFlagCompletionFunc("karpenter-feature-gates", cobra.NoFileCompletions)
}

// spec returns the autoscaler of the flags, or nil.
func (o *autoscalerFlags) spec() (*simulation.Autoscaler, error) {
	kind := simulation.AutoscalerKind(o.kind)
	switch kind {
	case simulation.NoAutoscaler, "":
		var problems []error
		for _, flag := range []struct{ name, value string }{
			{"nodepools", o.nodePools}, {"instance-types", o.instanceTypes}, {"karpenter-feature-gates", o.featureGates},
		} {
			if flag.value != "" {
				problems = append(problems, fmt.Errorf("invalid --%s %q: requires --autoscaler %s", flag.name, flag.value, simulation.Karpenter))
			}
		}
		return nil, errors.Join(problems...)
	case simulation.Karpenter:
	default:
		return nil, fmt.Errorf("invalid --autoscaler %q: must be %s or %s", o.kind, simulation.NoAutoscaler, simulation.Karpenter)
	}
	err := checkFiles("nodepools", o.nodePools)
	if !slices.Contains(instancetypes.Names(), o.instanceTypes) {
		err = errors.Join(err, checkFiles("instance-types", o.instanceTypes))
	}
	return &simulation.Autoscaler{
		Kind: kind, NodePools: o.nodePools, InstanceTypes: o.instanceTypes, FeatureGates: o.featureGates, FullLoop: o.fullLoop,
	}, err
}
