// Package watch follows the objects of one kind on an API server, and passes on their JSON as
// received.
//
// A Watcher lists all objects once, as one streamed list if the API server supports that and in
// pages otherwise, and then watches for changes. After a lost connection the watch is resumed where
// it ended. The objects are listed again only if the API server no longer has the changes since. If
// a kind does not exist or is forbidden, the Watcher retries until it can be read.
//
// Nothing is decoded, and only one object at a time is in memory.
package watch
