// Package printable makes text fit to be shown. Names, messages and logs come from traces,
// programs, configurations and clusters: what is in them must not move the cursor of a terminal,
// change its colours or its title, or turn the direction of writing. What would do so is spelled as
// an escape of Go: \x1b, \u202e. So are the bytes of what is no UTF-8.
//
// Text is made fit where it is formatted, before a program adds colours of its own.
package printable
