// Package export makes traces of the tracer's event log: what existed when a window of time begins, what happened until it ends, how long pods ran
// and, under x-simkube, what a replay can be compared with.
//
// # What is in a trace
//
// The objects of the configured kinds that pass the filters and have no owner in the trace: what owners make, they make again when the trace
// is replayed. Each change is judged by itself, with the ancestors as they were then:
//
//   - an object that passed and does not any more, for its labels or because somebody owns it now, counts as deleted, as in a watch with a selector;
//   - an object that comes to pass counts as applied;
//   - a deletion is only told of what was in the trace;
//   - an ancestor that is gone by then, or that the log heard of only later, is an ancestor all the same.
//
// An object the tracer ceased to follow stays as it was. Owner references are not written: their owners are not in the trace, or the object would not be.
//
// In an event, which is a second, an object is applied at most once, and may be deleted afterwards.
// Where it is applied again there is another event of the same second, so that the trace has every
// version that the log has.
//
// # What it takes
//
// Memory does not grow with the trace, nor with what exists: what is more than some megabytes goes to temporary files. Nothing is written to the
// destination before everything has been read from the log.
package export
