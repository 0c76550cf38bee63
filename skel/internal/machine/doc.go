// Package machine runs programs on objects, one at a time. A Program is a compiled program:
// immutable, and shared by all Machines. A Machine, one for each goroutine, holds the memory that a
// run needs. The package does not handle anything that concerns several objects: matching deletions
// to objects, the index, the order of events.
package machine
