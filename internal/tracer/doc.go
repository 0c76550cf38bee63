// Package tracer records what happens in a cluster: it follows the configured kinds, the pods they own and the nodes, decides what
// of all that is worth keeping, and appends it to the event log, from which traces are exported.
//
// A [Tracer] holds in memory what the next event is compared with, and no history: a hash for each object, and a little more
// for each live pod. It reads with watches, which list by streaming where the API server can; it never polls, and asks for single objects only
// to learn who owns a pod when no watch has told.
//
// What it may have missed it marks as gaps. Every change that the API server acknowledged at
// another time, and of which the tracer had the time to hear, is in the log.
package tracer
