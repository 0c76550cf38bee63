// Package log is the tracer's event log: what happened to the objects it follows, durably, on disk, and no more of it than
// age and size allow.
//
// A [Log] takes entries with [Log.Append], numbers and stamps them, and makes them durable in groups: one write to the disk has
// all that came while the one before it was under way. What was reported durable is there after a crash, once. Opening a log
// that has entries adds a [Gap] from when it was last known to have everything.
//
// Reading goes through a [Snapshot], which is not changed by what is appended later, and blocks nobody. It gives the state at a
// time and the changes after it, in an order that needs no memory.
//
// The log reaches back to its beginning. Retention moves the beginning forward: of what was before, the last state of each object
// that still existed stays, so that the state at any time since is complete.
//
// # On disk
//
// A log's directory has a file FORMAT, which says what the directory is and in which version, and a folder store, a pebble database.
// These are the keys in it; numbers in keys are big-endian, so that they sort:
//
//	e <seq>                            an entry: a change with all of it; of the others only that there was one
//	v <kind> 0 <name> 0 <seq>          a version of an object: what happened, the hash, the UID
//	v <kind> 0 <name> 0 0              the object's state at the log's beginning, with all of it
//	p <created> <uid>                  a pod
//	l <created> <uid>                  the pod has not been deleted
//	d <deleted> <created> <uid>        the pod has been deleted: what retention looks for
//	n <from> <uid>                     a node
//	g <seq>                            a gap
//	m begin, m end                     where the log begins and ends
package log
