// Package xray shows a trace interactively in a terminal (Run), and as plain text for pipes
// (Print).
//
// The program is a bubbletea model: Update takes a message and returns the next model, View returns
// a frame. Neither accesses the file, a clock or the terminal: whatever takes time is a command
// that ends with a message. The parts of the screen are models of their own: the timeline, the
// detail beside it, the prompt, the filter form, the lifecycles, the findings, and the help.
//
// A part draws lines of spans, which are text with a role. Only the last step turns roles into
// colours. Text from a trace goes through clean before it becomes part of a span, so that nothing
// in a trace reaches the terminal as a control sequence, and every line has the width that is
// computed for it.
package xray
