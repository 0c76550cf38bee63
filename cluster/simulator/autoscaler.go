package simulator

import (
	"fmt"
	"os"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/karpenter"
	"simkube.io/simkube/internal/instancetypes"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/words"
)

// autoscaler returns the component of the spec's autoscaler, if it has one.
func (r *run) autoscaler() ([]controlplane.Component, error) {
	scaler := r.spec.Autoscaler
	if scaler == nil {
		return nil, nil
	}
	pools, types, warnings, err := readAutoscaler(scaler)
	if err != nil {
		return nil, err
	}
	r.handover = &karpenter.Handover{}
	component, err := karpenter.Component(karpenter.Options{
		Pools: pools, Types: types, FeatureGates: scaler.FeatureGates,
		ConsolidationInterval: scaler.ConsolidationInterval, FullLoop: scaler.FullLoop,
		Speed: r.spec.Speed, Elapsed: r.elapsed, Seed: r.spec.Seed, Decided: r.decided, Handover: r.handover,
	})
	if err != nil {
		return nil, fmt.Errorf("set up Karpenter: %w", err)
	}
	r.report(simulation.Message{Note: &simulation.Note{Level: simulation.Info, Text: fmt.Sprintf(
		"Karpenter has %s and %s", words.Count(pools.Count(), "node pool"), words.Count(len(types.Types), "instance type"))}})
	for _, text := range pools.Notes {
		r.report(simulation.Message{Note: &simulation.Note{Level: simulation.Info, Text: text}})
	}
	for _, text := range warnings {
		r.report(simulation.Message{Note: &simulation.Note{Level: simulation.Warning, Text: text}})
	}
	return []controlplane.Component{component}, nil
}

// readAutoscaler reads the files of an autoscaler, and compares them.
func readAutoscaler(scaler *simulation.Autoscaler) (pools *karpenter.Pools, types *instancetypes.List, warnings []string, err error) {
	if scaler.Kind != simulation.Karpenter {
		return nil, nil, nil, fmt.Errorf("invalid autoscaler %q: must be %s", scaler.Kind, simulation.Karpenter)
	}
	if pools, err = readPools(scaler.NodePools); err != nil {
		return nil, nil, nil, fmt.Errorf("read node pools: %w", err)
	}
	if types, err = instancetypes.Open(scaler.InstanceTypes); err != nil {
		return nil, nil, nil, fmt.Errorf("read instance types: %w", err)
	}
	if warnings, err = pools.Check(types); err != nil {
		return nil, nil, nil, fmt.Errorf("check node pools: %w", err)
	}
	return pools, types, warnings, nil
}

func readPools(path string) (*karpenter.Pools, error) {
	if path == "" {
		return karpenter.DefaultPools(), nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return karpenter.ParsePools(path, data)
}
