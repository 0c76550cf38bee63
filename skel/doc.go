// Package skel is SKEL, the language in which traces are changed. A program is a list of commands that are run, in order, on every event of a
// trace, in one pass; docs/skel.md is its reference.
//
//	program, err := skel.Compile(`remove(status); delete(metadata.namespace == "ci");`)
//	if err != nil { ... } // an *Error: every mistake, with its place and a picture of it
//	summary, err := program.RunFile(ctx, "prod.sktrace", "shared.sktrace", skel.RunOptions{})
//
// A [Program] is immutable and may be used by any number of goroutines. Running one streams: a trace may be larger than memory, is worked on by as
// many goroutines as there are processors, and comes out in order. Objects are matched and rewritten as the bytes they are recorded as; what
// no command changes is copied.
//
// What comes out is a whole trace: its index has the hashes of the manifests that are in it now, and lifecycles go, and are renamed, with their owners.
//
// The text of the language is the concern of skel/internal/syntax, what a program does to one object that of
// skel/internal/machine, which works on skel/internal/document; here is what concerns the trace as a whole.
package skel
