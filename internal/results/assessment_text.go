package results

import (
	"fmt"
	"io"
	"strings"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

const (
	// maxTextDeviations is the maximum number of deviations in a text.
	maxTextDeviations = 10
	// maxWrapped is the maximum number of lines of one of them.
	maxWrapped = 4
)

// WriteText lists the deviations for a terminal of the given width (80 if it is not positive), in
// colour if asked, each with its reason and what can be done about it. It writes nothing if there
// are none.
func (d *Deviations) WriteText(w io.Writer, width int, colour bool) error {
	if d == nil || d.Total == 0 {
		return nil
	}
	if width <= 0 {
		width = 80
	}
	t := textWriter{width: width, colour: colour}
	for i := range d.First[:min(len(d.First), maxTextDeviations)] {
		one := &d.First[i]
		t.wrapped("  ", yellow, one.Subject()+": "+one.Reason)
		if one.Action != "" {
			t.wrapped("    ", dim, "what to do: "+one.Action)
		}
	}
	if more := d.Total - maxTextDeviations; more > 0 {
		t.wrapped("  ", dim, fmt.Sprintf("and %s more, see the report", words.Number(more)))
	}
	if _, err := w.Write(t.out.Bytes()); err != nil {
		return fmt.Errorf("write the deviations: %w", err)
	}
	return nil
}

// wrapped writes a text in lines that fit, and shortens the last one if there are too many.
func (t *textWriter) wrapped(indent, style, text string) {
	room := max(t.width-len(indent), 1)
	rest := printable.Line(text)
	for line := 1; rest != ""; line++ {
		now := rest
		rest = ""
		if runes := []rune(now); len(runes) > room && line < maxWrapped {
			end := room
			for end > 0 && runes[end] != ' ' {
				end--
			}
			if end == 0 {
				end = room
			}
			now, rest = string(runes[:end]), strings.TrimLeft(string(runes[end:]), " ")
		}
		t.out.WriteString(indent + t.styled(style, words.Clip(now, room)) + "\n")
	}
}

// WriteAssessment writes whether the replay was as recorded, in a line of its own. It writes
// nothing if that is not known.
func WriteAssessment(w io.Writer, assessment string, colour bool) error {
	if assessment == "" {
		return nil
	}
	t := textWriter{colour: colour}
	style := green
	if !strings.HasPrefix(assessment, AsRecorded) {
		style = red
	}
	if _, err := fmt.Fprintln(w, t.styled(style, assessment)); err != nil {
		return fmt.Errorf("write the verdict: %w", err)
	}
	return nil
}
