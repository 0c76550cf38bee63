// Package tracerclient gets traces from a tracer: over an address, or, for one in a cluster, through the API server to
// its pod, as kubectl port-forward does.
package tracerclient
