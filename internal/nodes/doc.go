// Package nodes determines the simulated nodes that a trace is replayed on, and checks whether its
// pods can run there.
//
// A [Spec] is what the user asked for: a number of nodes of one [Shape], a file of manifests, or as
// many as the trace needs. A [Survey] reads a trace once and reduces it to its [Demand]: the
// distinct pod templates, and how many pods of each exist over time. [Prepare] combines the two
// into a [Plan]: the node objects, a summary of their number, and a [Finding] for every pod that
// these nodes can never run. [Create] creates the nodes of the plan in a cluster.
//
// Only Create uses an API server. Values are not safe for concurrent use while they are built; a
// Demand and a Plan are read-only afterwards and may be shared.
package nodes
