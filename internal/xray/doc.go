// Package xray is for looking around in a trace: a program for terminals (Run), and the same
// as plain text for pipes (Print).
//
// The program is a model of the kind that bubbletea runs: Update takes a message and gives the
// next model, View gives a frame. Neither touches the file, a clock or the terminal: what takes
// time is a command that ends in a message. The parts of the screen are models of their own:
// the timeline, the detail beside it, the prompt, the filter, the lifecycles, the findings, and
// the help.
//
// A part draws lines of spans, text with a role; only the last step turns roles into colours.
// Text from a trace goes through clean before it becomes part of a span, so that nothing in a
// trace can reach the terminal as a control sequence, and every line has the width it seems to
// have.
package xray
