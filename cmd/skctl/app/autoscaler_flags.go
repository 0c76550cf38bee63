package app

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/instancetypes"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/timespec"
	"simkube.io/simkube/internal/words"
)

// autoscalerFlags are the values of the flags about an autoscaler.
type autoscalerFlags struct {
	kind                                   string
	nodePools, instanceTypes, featureGates string
	consolidationInterval                  string
	fullLoop                               bool
}

func (o *autoscalerFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.kind, "autoscaler", string(simulation.NoAutoscaler), "what adds and removes nodes: none, or karpenter; with karpenter there are no nodes at the start, unless --nodes is set; it gets recorded ones")
	f.StringVar(&o.nodePools, "nodepools", "", "file of NodePools and node classes for Karpenter (default a pool of all on-demand amd64 types)")
	f.StringVar(&o.instanceTypes, "instance-types", "", "instance types for Karpenter, with prices: "+words.Or(append(instancetypes.Names(), "a file")...)+" (default general)")
	f.StringVar(&o.featureGates, "karpenter-feature-gates", "", "Karpenter's feature gates, e.g. SpotToSpotConsolidation=true")
	f.StringVar(&o.consolidationInterval, "consolidation-interval", "", "how long Karpenter waits until it looks for underutilized nodes again if it has found nothing; more takes less time, and decisions may be that late (default 10s)")
	f.BoolVar(&o.fullLoop, "karpenter-full-loop", false, "look for nodes to disrupt also if nothing has changed; takes longer, for the same decisions")
	_ = f.MarkHidden("karpenter-full-loop")
	_ = cmd.MarkFlagFilename("nodepools", "yaml", "yml", "json")
	_ = cmd.RegisterFlagCompletionFunc("autoscaler", cobra.FixedCompletions(
		[]string{string(simulation.NoAutoscaler), string(simulation.Karpenter)}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("instance-types", completeInstanceTypes)
	_ = cmd.RegisterFlagCompletionFunc("karpenter-feature-gates", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("consolidation-interval", cobra.NoFileCompletions)
}

// spec returns the autoscaler of the flags, or nil.
func (o *autoscalerFlags) spec() (*simulation.Autoscaler, error) {
	kind := simulation.AutoscalerKind(o.kind)
	switch kind {
	case simulation.NoAutoscaler, "":
		var problems []error
		for _, flag := range []struct{ name, value string }{
			{"nodepools", o.nodePools}, {"instance-types", o.instanceTypes}, {"karpenter-feature-gates", o.featureGates}, {"consolidation-interval", o.consolidationInterval},
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
	interval, intervalErr := o.interval()
	return &simulation.Autoscaler{
		Kind: kind, NodePools: o.nodePools, InstanceTypes: o.instanceTypes, FeatureGates: o.featureGates, ConsolidationInterval: interval, FullLoop: o.fullLoop,
	}, errors.Join(err, intervalErr)
}

// minInterval is how often Karpenter looks for nodes to disrupt by itself.
const minInterval = 10 * time.Second

func (o *autoscalerFlags) interval() (time.Duration, error) {
	if o.consolidationInterval == "" {
		return 0, nil
	}
	interval, err := timespec.ParseDuration(o.consolidationInterval)
	if err == nil && interval < minInterval {
		err = fmt.Errorf("%q: must be at least %s", o.consolidationInterval, minInterval)
		return 0, fmt.Errorf("invalid --consolidation-interval %w", err)
	}
	return interval, flagError("consolidation-interval", err)
}
