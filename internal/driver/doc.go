// Package driver runs one Simulation inside a cluster: it replays the trace as often as asked, answers the API server's
// admission reviews meanwhile, and tells how it goes in the Simulation's status.
//
// [Run] may be killed at any moment and started again, in the same pod or another: what was done is known from the
// Simulation's status (which repetitions ended, which hooks were begun) and from a checkpoint in a ConfigMap (how far the
// repetition under way is), and Run goes on from there. What a new start cannot mend is a [*Failure], which is in the status
// before Run returns; a process that finds one there returns it again. Everything else is worth another start.
//
// Only the driver writes status.driver; it writes nothing else of the status.
package driver
