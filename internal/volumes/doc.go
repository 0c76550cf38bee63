// Package volumes determines what the volumes of a trace need of the cluster that the trace is
// replayed on, and how recorded volumes are replayed.
//
// A [Survey] reads a trace once. [Survey.Needs] returns what it needs: a default StorageClass, the
// classes and claims that do not exist, and the limits of nodes. [Survey.Place] returns the nodes
// that the recorded volumes of a workload can be used on. During the replay on a cluster of its
// own, a [Binding] decides which claims are bound to their recorded volumes; all others get volumes
// from the cluster's provisioner.
//
// The values are not safe for concurrent use, except for a Needs, which is read-only.
package volumes
