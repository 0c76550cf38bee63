// Package log is the tracer's event log: the changes of the objects that it follows, stored durably
// on disk, within limits of age and size.
//
// [Log.Append] numbers entries, adds their time, and makes them durable in groups: each write to
// the disk has everything that was appended during the previous one. Entries that were reported
// durable are there exactly once after a crash. Opening a log that has entries adds a [Gap] that
// begins when the log was last known to be complete.
//
// A [Snapshot] reads the log. It is not affected by later appends, and does not block them. It
// returns the state at a time and the changes after it, sorted so that the reader needs no memory
// for sorting.
//
// Retention moves the beginning of the log forward. Of everything before the beginning, the last
// state of each object that still existed is kept, so that the state at any time since is complete.
//
// # On disk
//
// The directory of a log has a file FORMAT with the version of the log, and a folder store with a
// pebble database. These are its keys; numbers in keys are big-endian, so that they sort:
//
//	e <seq>                            an entry: all of a change, or only the type of another entry
//	v <kind> 0 <name> 0 <seq>          a version of an object: operation, hash, UID
//	v <kind> 0 <name> 0 0              the object's state at the log's beginning, with its entry
//	p <created> <uid>                  a pod
//	l <created> <uid>                  the pod has not been deleted
//	d <deleted> <created> <uid>        the pod has been deleted; used by retention
//	n <from> <uid>                     a node
//	g <seq>                            a gap
//	m begin, m end                     the beginning and the end of the log
package log
