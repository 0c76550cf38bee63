// Package tracertest has the tests of the tracer that need a control plane: what it records, how it
// recovers from interrupted watches, and that replaying a recording of a replay has the same
// result.
package tracertest
