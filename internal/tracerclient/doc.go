// Package tracerclient requests traces from a tracer: at an address, or, in a cluster, through the
// API server to its pod, like kubectl port-forward.
package tracerclient
