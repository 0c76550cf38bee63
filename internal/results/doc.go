// Package results observes a simulation and keeps what came of it: when every pod was created,
// scheduled, running and finished, on which node, and why it waited; how full every node was; how
// late every replayed event was.
//
// The way of the data:
//
//	API server watches -> Observer -> Recorder -> Run -> folder (summary.json, *.parquet, report.html)
//
// An [Observer] owns the watches and nothing else. A [Recorder] is the state machine behind it: it
// knows no cluster, takes the time as an argument and can be driven by hand. [Recorder.Run] turns
// what was recorded into a [Run], which is plain data; [Write] and [Read] move a Run to and from a
// folder, and package report draws it.
//
// # Times
//
// Everything is stamped with the clock of the simulation when the watch delivers it, because API
// objects only carry whole seconds. A Run publishes instants as trace time, through a [TimeMap];
// delays (how long a pod waited) are left in seconds of the clock, because the scheduler's work does
// not go faster when the replay does. At speed 1 the two are the same. Hours of nodes, CPU and
// memory are hours of the trace: what the recorded cluster would have spent.
//
// # Two runs of one replay
//
// [Summary] is split in two: [Outcome], which two runs of the same replay share, and [Timing],
// which they don't. Everything a Run holds has a defined order.
package results
