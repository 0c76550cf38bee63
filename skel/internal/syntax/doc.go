// Package syntax is the text of the language: the tree a program is parsed to, the checks that need no trace, and the printer.
// Parse gives a tree and all mistakes it found, in the order of the source; a program with any is not run.
package syntax
