// Package admission is the webhook that mutates simulated pods for the API servers of a cluster.
// Package mutate determines the changes; this package implements the protocol, the metrics, and the
// server.
//
// It fails closed: a pod is admitted only if a Mutator has processed it without an error. Otherwise
// it might be a pod of a simulation, and be scheduled to a real node.
package admission
