// Package rbac generates the minimal ClusterRole of a tracer for the kinds that it is configured to
// follow.
package rbac
