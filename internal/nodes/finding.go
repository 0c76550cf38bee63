package nodes

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Owner is a recorded object with pods that share a fate.
type Owner struct {
	GVK schema.GroupVersionKind
	// Name is namespace/name, or the name alone for a cluster-scoped object.
	Name string
	// Pods is the most pods it has at any time.
	Pods int
}

// Finding says that pods can never be scheduled on a set of nodes, and why.
type Finding struct {
	// Owners have these pods, sorted by kind and name; never empty.
	Owners []Owner
	// Pods is the sum over the owners.
	Pods int
	// Reason is a clause without a full stop, such as
	// "needs nodeSelector disktype=ssd, which none of the 14 nodes has (no node has the label disktype)".
	Reason string
}

// String gives the finding as one line, with the first three owners by name.
func (f Finding) String() string { return f.Reason }

// Check judges every pod of a demand against the nodes and returns those that none of them can ever run, sorted by
// the number of pods, largest first. Only what lasts is judged (labels, taints, sizes), not what is free at a time.
func Check(nodes []*corev1.Node, demand *Demand) []Finding { return nil }
