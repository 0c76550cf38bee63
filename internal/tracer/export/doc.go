// Package export makes traces of the tracer's event log: what existed at the start of a window of
// time, what happened until its end, how long pods ran and, in x-simkube, data that a replay can be
// compared with.
//
// # Contents of a trace
//
// A trace has the objects of the configured kinds that pass the filters and have no owner in the
// trace: owners create their objects again when the trace is replayed. Each change is decided by
// itself, with the ancestors of that time:
//
//   - an object that no longer passes, because of its labels or because it has an owner now, counts
//     as deleted, as in a watch with a selector;
//   - an object that passes from now on counts as applied;
//   - a deletion is in the trace only if the object was;
//   - an ancestor that was deleted, or that the log has only later, is still an ancestor.
//
// An object that the tracer ceased to follow stays as it was. Owner references are not written:
// their owners are not in the trace, otherwise the object would not be.
//
// An event covers a second. In it, an object is applied at most once, and may be deleted
// afterwards. If it is applied again, another event of the same second follows, so that the trace
// has every version that the log has.
//
// # Resources
//
// Memory does not grow with the trace or the number of objects: beyond some megabytes, data goes to
// temporary files. Nothing is written to the destination before everything has been read from the
// log.
package export
