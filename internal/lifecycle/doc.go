// Package lifecycle has the rules for the lifecycles of pods: which of two observations is kept,
// which part of a lifecycle belongs to a window of time, and which recorded lifecycle a simulated
// pod gets.
//
// No function has side effects. Times are unix seconds, as in a trace.
package lifecycle
