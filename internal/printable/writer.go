package printable

import (
	"io"
	"slices"
	"unicode/utf8"
)

// NewWriter returns a writer that writes the result of [Text] to w. All writes are treated as one
// text; an incomplete character is written with the next write, or by Close. Close does not close
// w. The writer is not safe for concurrent use.
func NewWriter(w io.Writer) io.WriteCloser { return &writer{w: w} }

type writer struct {
	w io.Writer
	// rest is the start of an incomplete character.
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

// Close writes the rest.
func (w *writer) Close() error {
	rest := w.rest
	w.rest = nil
	_, err := io.WriteString(w.w, Text(string(rest)))
	return err
}
