// Package tracediff compares traces: their configuration, which objects they apply and delete and
// when, how long pods ran, and the extension of the format.
//
// Both traces are streamed in parallel, twice: first to find the differences, then to fetch the
// manifests of different objects. Memory grows with the number of distinct objects and with the
// size of the manifests that differ.
//
// The encoding is ignored, and within a second also the order of different objects and their
// distribution over events.
package tracediff
