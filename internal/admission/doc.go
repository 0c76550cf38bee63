// Package admission is the webhook by which the API servers of a cluster have simulated pods mutated. What
// a pod gets is decided by package mutate; this package owns the protocol around it, its metrics, and the
// server.
//
// It fails closed: a pod is let through only when a Mutator has seen it and did not object. Otherwise it
// might be one of a simulation's, and land on a real node.
package admission
