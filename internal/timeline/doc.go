// Package timeline reads a trace file that may be larger than memory: its events, what each event
// did to which objects, the versions of an object, and the objects that match a filter.
//
// [Open] returns at once. The file is then read once from its beginning to its end, in the
// background, and an index grows: the offset and the time of each event; for each object in an
// event which object it is, whether it was created, changed, left unchanged or deleted, and where
// its previous and next versions are. All methods work on what is indexed so far and may be called
// from any goroutine; contents are read from the file on demand.
//
// The index takes 32 bytes for an event, 16 for each object in it, and about 100 for each distinct
// object. A damaged file can be used up to the damage; [Progress] has the error of the rest.
package timeline
