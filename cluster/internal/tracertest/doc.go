// Package tracertest holds the tests of the tracer that need a control plane: what it records of one, how it gets over what happens to watches, and
// that a replay of what it recorded gives the same again.
package tracertest
