// Package nodes decides on which simulated nodes a trace is replayed, and says what that means for its pods.
//
// A [Spec] is what the user asked for: a number of nodes of one [Shape], a file of manifests, or as many as the
// trace needs. A [Survey] reads a trace once and distils it to its [Demand]: the distinct pods it asks for and how
// many of each over time. [Prepare] turns the two into a [Plan]: the node objects, one sentence about their number,
// and a [Finding] for every pod that these nodes can never run. [Create] brings the plan to a cluster.
//
// Nothing here but Create talks to an API server. Values are not safe for concurrent use while they are built;
// a Demand and a Plan are read-only afterwards and may be shared.
package nodes
