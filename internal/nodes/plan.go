package nodes

import (
	corev1 "k8s.io/api/core/v1"
)

// Plan is what a simulation's nodes will be, and what is to be said about them before it starts.
type Plan struct {
	// Nodes are the objects to create, sorted by name.
	Nodes []*corev1.Node
	// Summary is one line: how many nodes of which size, and why that many.
	Summary string
	// Notes are worth a warning but stop nothing: what was added to manifests, or a peak these nodes cannot hold.
	Notes []string
	// Findings are the pods that can never be scheduled on these nodes.
	Findings []Finding
}

// Prepare makes the plan for a spec. The demand decides the number of nodes for auto, and is judged against the
// nodes in every case; nil stands for a trace without pods. A file of manifests is read here.
func Prepare(spec Spec, demand *Demand) (*Plan, error) {
	return &Plan{Nodes: Build(max(spec.Count, 1), spec.Shape)}, nil
}
