// Package traceconvert converts recordings to traces: traces in older versions of the format,
// recordings of KWOK (kwokctl snapshot record, kwokctl snapshot export --record) and of
// kube-scheduler-simulator (its recorder).
//
// A recording lists the creation, change and deletion of objects. The trace contains what the
// tracer would have recorded: manifests without the fields that a cluster adds, no objects that
// controllers create, and how long pods ran.
//
// A recording is read twice: first to find the objects and their owners, then to write the trace.
// Memory grows with the number of distinct objects and with the size of the manifests that exist at
// the same time.
package traceconvert
