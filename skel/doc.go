// Package skel implements SKEL, the language for transforming traces. A program is a list of
// commands that are run, in order, on every event of a trace, in one pass. The reference is
// docs/skel.md.
//
//	program, err := skel.Compile(`remove(status); delete(metadata.namespace == "ci");`)
//	if err != nil { ... } // an *Error: every mistake with its position and an excerpt of the source
//	summary, err := program.RunFile(ctx, "prod.sktrace", "shared.sktrace", skel.RunOptions{})
//
// A [Program] is immutable and safe for concurrent use. A run streams: the trace may be larger than
// memory, it is processed by as many goroutines as there are processors, and the order of events is
// kept. Objects are matched and rewritten in their encoded form; objects that no command changes
// are copied.
//
// The output is a whole trace: its index has the hashes of the manifests that it contains, and
// lifecycles are removed and renamed with their owners.
//
// Package skel/internal/syntax parses the language, and skel/internal/machine, which uses
// skel/internal/document, applies a program to one object. This package handles the trace as a
// whole.
package skel
