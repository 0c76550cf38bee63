// Package results observes a simulation and keeps its results: when every pod was created,
// scheduled, running and finished, on which node, and why it waited; how full every node was; how
// late every event was replayed.
//
// Data flows from left to right:
//
//	API server watches -> Observer -> Recorder -> Run -> folder (summary.json, Parquet, report.html)
//
// An [Observer] owns the watches and nothing else. A [Recorder] is the state machine behind it: it
// knows no cluster, takes the time as an argument and can be driven by tests. [Recorder.Run] turns
// what was recorded into a [Run], which is plain data; [Write] writes a Run to a folder, [Open]
// reads folders of one run or of several, and package report draws it. [Measures] lists the numbers
// by which runs are compared.
//
// # Times
//
// Everything is stamped with the clock of the simulation when the watch delivers it, because API
// objects have only whole seconds. A Run publishes times as trace time, through a [TimeMap]; delays
// (how long a pod waited) stay in seconds of the clock, because the scheduler does not work faster
// when the replay does. At speed 1 the two are the same. Hours of nodes and resources are hours of
// the trace: what the recorded cluster would have used.
//
// # Two runs of one replay
//
// [Summary] has two parts: [Outcome], which is the same for two runs of the same replay, and
// [Timing], which may differ. Everything in a Run has a defined order.
package results
