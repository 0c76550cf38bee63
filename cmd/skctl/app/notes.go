package app

import (
	"fmt"
	"strings"

	"simkube.io/simkube/internal/printable"
)

// notef prints a line to the error stream: what a command does, apart from what it was asked for.
func (p *program) notef(format string, args ...any) {
	fmt.Fprintln(p.streams.Err, printable.Text(fmt.Sprintf(format, args...)))
}

// warnf prints a warning to the error stream.
func (p *program) warnf(format string, args ...any) {
	fmt.Fprintln(p.streams.Err, p.style(p.streams.Err).warning()+" "+printable.Text(fmt.Sprintf(format, args...)))
}

// printf prints to the standard output for people, and returns an error if it cannot.
func (p *program) printf(format string, args ...any) error {
	_, err := fmt.Fprint(p.streams.Out, printable.Text(fmt.Sprintf(format, args...)))
	return err
}

// tableRow joins the cells of a row of a table for people. A cell takes one line.
func tableRow(cells ...string) string {
	shown := make([]string, 0, len(cells))
	for _, cell := range cells {
		shown = append(shown, printable.Line(cell))
	}
	return strings.Join(shown, "\t")
}
