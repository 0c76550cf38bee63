package tracer

// GCPercent is the garbage collection target that suits a tracer, for [runtime/debug.SetGCPercent]:
// it makes little garbage, and runs for months in a cluster, so its heap should not be much larger
// than what it needs. The program must set it.
const GCPercent = 50
