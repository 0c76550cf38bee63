package printable

import (
	"io"
	"slices"
	"unicode/utf8"
)

// NewWriter returns a writer that writes to w what [Text] makes of what it is given. What is given
// in parts is taken for one text; a character of which the end is missing is written with the next
// part, or by Close. Closing it does not close w. It is not safe for concurrent use.
func NewWriter(w io.Writer) io.WriteCloser { return &writer{w: w} }

type writer struct {
	w io.Writer
	// rest is the beginning of a character.
	rest []byte
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	text := slices.Concat(w.rest, p)
	end := len(text)
	for i := max(0, end-utf8.UTFMax+1); i < end; i++ {
		if utf8.RuneStart(text[i]) && !utf8.FullRune(text[i:]) {
			end = i
			break
		}
	}
	w.rest = append([]byte(nil), text[end:]...)
	if _, err := io.WriteString(w.w, Text(string(text[:end]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close writes what is left.
func (w *writer) Close() error {
	rest := w.rest
	w.rest = nil
	_, err := io.WriteString(w.w, Text(string(rest)))
	return err
}
