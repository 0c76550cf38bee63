// Package tracediff tells in what traces differ: in their configuration, in the objects that they apply and delete and when, in how long pods ran,
// and in what SimKube records beyond that.
//
// Both traces are streamed side by side, twice: first to find out what differs, then to fetch the manifests of that. Memory grows with the
// number of different objects and with the manifests of those that differ.
//
// What does not matter is how things are encoded, and within a second the order of different objects and how they are spread over events.
package tracediff
