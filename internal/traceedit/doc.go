// Package traceedit makes traces of others: a part of one, or several in one.
//
// # A part
//
// Slice makes of a trace what the tracer would have exported for a window of time: a first event with what existed when it begins, what
// happened until it ends, the lifecycles that overlap it, and of x-simkube what belongs to it.
//
// # Several in one
//
// Merge goes through traces side by side. An object that several have in the same way is there once, for as long as one of them has it.
// If they have it in different ways, that is a conflict, unless the trace that had it has ended: one that begins afterwards goes on with it.
//
// # What it takes
//
// Traces are streamed. In memory are what stands after their events, one event of each, and of objects what is needed: Slice keeps those that
// exist when the window begins, Merge a few numbers for every different one.
package traceedit
