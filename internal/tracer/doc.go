// Package tracer records a cluster: it follows the configured kinds, the pods they own and the
// nodes, determines what must be kept, and appends it to the event log, from which traces are
// exported.
//
// A [Tracer] holds in memory what the next event is compared with, and no history: a hash for each
// object, and a little more for each live pod. It uses watches, with streamed lists if the API
// server supports them. It never polls, and requests single objects only to determine the owner of
// a pod that no watch has seen.
//
// Intervals in which it may have missed changes are recorded as gaps. Every other change that the
// API server acknowledged is in the log, once the tracer has had time to receive it.
package tracer
