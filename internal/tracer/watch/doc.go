// Package watch follows one kind of object on an API server, for as long as it takes, and hands on the JSON of its objects as it came.
//
// A Watcher asks for everything there is once, as one streamed answer where the server offers that and in pages where it doesn't, and from
// then on only for what changes. A connection that ends is taken up again where it ended. Everything is asked for anew only when the server
// no longer knows what changed since. A kind that does not exist, or may not be read, is asked for again until it does and may.
//
// Nothing is decoded, and nothing is kept but one object at a time.
package watch
