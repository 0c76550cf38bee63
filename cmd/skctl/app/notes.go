package app

import (
	"fmt"
	"strings"

	"simkube.io/simkube/internal/printable"
)

// notef prints a line about what a command does to the error stream.
func (p *program) notef(format string, args ...any) {
	fmt.Fprintln(p.streams.Err, printable.Text(fmt.Sprintf(format, args...)))
}

// warnf prints a warning to the error stream.
func (p *program) warnf(format string, args ...any) {
	fmt.Fprintln(p.streams.Err, p.style(p.streams.Err).warning()+" "+printable.Text(fmt.Sprintf(format, args...)))
}

// printf prints text for people to the standard output.
func (p *program) printf(format string, args ...any) error {
	_, err := fmt.Fprint(p.streams.Out, printable.Text(fmt.Sprintf(format, args...)))
	return err
}

// tableRow joins the cells of a table row. It replaces line breaks within cells.
func tableRow(cells ...string) string {
	shown := make([]string, 0, len(cells))
	for _, cell := range cells {
		shown = append(shown, printable.Line(cell))
	}
	return strings.Join(shown, "\t")
}
