// Package timeline looks around in a trace file that may be larger than memory: which events there are, what each
// did to which objects, the versions of an object, and where something is to be found.
//
// [Open] returns at once. From then on the file is read once from its beginning to its end, in the background, and
// an index grows: for each event where it stands and when it was, for each object in it which one it is, whether it
// was created, changed, left as it was or deleted, and where its neighbouring versions are. All methods work on what
// is indexed so far and may be called from any goroutine; contents are read from the file when they are asked for.
//
// The index takes 32 bytes for an event and 16 for each object in it, and about 100 for each distinct object. A file
// that is damaged can be used up to the damage; [Progress] says what is wrong with the rest.
package timeline
