package results

import "io"

// WriteText writes the summary in a few lines for a terminal of the given width, in colour if asked.
func (s *Summary) WriteText(w io.Writer, width int, colour bool) error { return nil }
