// Package machine runs programs on objects, one at a time. A Program is what a parsed program is compiled to: immutable, shared by as many
// Machines as there are goroutines. A Machine has the memory that running takes. What concerns several objects (which of them a deletion
// belongs to, the index, the order in time) is not known here.
package machine
