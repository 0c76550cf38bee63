// Package printable makes text safe to display. Names, messages and logs come from traces,
// programs, configurations and clusters. They must not move the cursor of a terminal, change its
// colors or its title, or change the text direction. Characters that would do so are replaced by Go
// escapes: \x1b, \u202e. So are bytes that are not valid UTF-8.
//
// Text is escaped when it is formatted, before a program adds its own colors.
package printable
