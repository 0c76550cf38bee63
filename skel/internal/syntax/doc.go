// Package syntax implements the text of the language: the syntax tree, the checks that need no
// trace, and the formatter. Parse returns a tree and all mistakes, in the order of the source. A
// program with mistakes must not be run.
package syntax
