package simulation

import "time"

// Autoscaler adds nodes for pods that have none, and removes nodes that are not needed.
type Autoscaler struct {
	// Kind is which one; the only one is Karpenter.
	Kind AutoscalerKind `json:"kind"`
	// NodePools is the path of manifests of node pools and node classes; empty means a default pool.
	NodePools string `json:"nodePools,omitempty"`
	// InstanceTypes is the name of a built-in list of instance types, or the path of one; empty means
	// the general one.
	InstanceTypes string `json:"instanceTypes,omitempty"`
	// FeatureGates are those of the autoscaler, such as "SpotToSpotConsolidation=true".
	FeatureGates string `json:"featureGates,omitempty"`
	// ConsolidationInterval is how long Karpenter waits until it looks for underutilized nodes again
	// if it has found nothing; 0 means the ten seconds that it waits by itself.
	ConsolidationInterval time.Duration `json:"consolidationInterval,omitempty"`
	// FullLoop makes Karpenter look for nodes to disrupt every ten seconds, also if nothing has
	// changed, and at all instance types. The decisions are the same without it.
	FullLoop bool `json:"fullLoop,omitempty"`
}

// AutoscalerKind is a kind of autoscaler.
type AutoscalerKind string

const (
	// NoAutoscaler means that the nodes are fixed.
	NoAutoscaler AutoscalerKind = "none"
	// Karpenter runs in the process of the control plane.
	Karpenter AutoscalerKind = "karpenter"
)
