package app

import (
	"io"
	"os"

	"golang.org/x/term"
)

const defaultWidth = 80

// style colours text, if enabled.
type style struct{ colour bool }

func (s style) error(text string) string { return s.wrap("1;31", text) }
func (s style) warning() string          { return s.wrap("33", "warning:") }
func (s style) dim(text string) string   { return s.wrap("2", text) }

func (s style) wrap(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// style returns the style for a stream. It uses colour only on a terminal that is not dumb, and not
// if NO_COLOR is set.
func (p *program) style(w io.Writer) style {
	return style{colour: isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width returns the width of the terminal behind a stream, or a default for others.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return defaultWidth
}
