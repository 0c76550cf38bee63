// Package log is the tracer's event log: what happened to the objects it follows, durably, on disk, and no more of it than
// age and size allow.
package log
