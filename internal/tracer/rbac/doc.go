// Package rbac writes down what a tracer has to be allowed in a cluster, and nothing more, for the kinds it is configured
// to follow.
package rbac
