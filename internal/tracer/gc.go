package tracer

// GCPercent is the pace of garbage collection that suits a tracer, for [runtime/debug.SetGCPercent]: it makes little garbage, and what it holds for
// months in somebody's cluster should be little more than what it needs. Setting it is left to the program.
const GCPercent = 50
