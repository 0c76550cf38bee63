// Package driver runs one Simulation inside a cluster: it replays the trace once for each
// repetition, answers the API server's admission reviews during that, and reports its progress in
// the Simulation's status.
//
// [Run] may be killed at any time and started again, in the same pod or in another. The
// Simulation's status has what was done (which repetitions ended, which hooks were started), and a
// checkpoint in a ConfigMap has how far the current repetition is; Run continues from there. An
// error that a restart cannot fix is a [*Failure]. It is written to the status before Run returns,
// and a process that finds one there returns it again. After any other error, a restart may
// succeed.
//
// Only the driver writes status.driver; it writes nothing else of the status.
package driver
