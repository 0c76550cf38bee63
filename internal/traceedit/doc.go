// Package traceedit creates traces from other traces: a part of one, or several merged into one.
//
// # Slice
//
// Slice creates the trace that the tracer would have exported for a time window: a first event with
// everything that existed at its start, the events within the window, the lifecycles that overlap
// it, and the corresponding parts of x-simkube.
//
// # Merge
//
// Merge reads several traces in parallel. An object that is equal in several traces is contained
// once, as long as one of the traces contains it. Different versions of an object at the same time
// are a conflict, unless one of the traces has ended: a trace that begins later continues with the
// object.
//
// # Memory
//
// Traces are streamed. Memory holds their tails, one event of each, and some state of objects:
// Slice keeps the objects that exist at the start of the window, Merge a few numbers for every
// distinct object.
package traceedit
