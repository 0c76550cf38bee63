// Package traceconvert makes traces of what was recorded in other ways: by older versions of the format, by KWOK
// (kwokctl snapshot record, kwokctl snapshot export --record) and by kube-scheduler-simulator (its recorder).
//
// A recording says of objects that they came, changed and went. Of that the trace gets what the tracer would have recorded: the
// manifests without what a cluster adds to them, without the objects that others make, and how long pods ran.
//
// A recording is walked twice: to find out which objects there are and who owns whom, then to write. Memory grows with the number
// of different objects and with the manifests of those that exist at one time.
package traceconvert
