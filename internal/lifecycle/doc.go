// Package lifecycle has the rules about when pods start and end: what is read off an observed pod, which
// of two observations stays, what of a lifecycle belongs to a window of time, and which recorded lifecycle
// a simulated pod gets.
//
// Everything in it is pure. Times are unix seconds, as in a trace.
package lifecycle
