package xray

import "strings"

// span is a piece of clean text, and what it is.
type span struct {
	text string
	role role
}

// line is one line of the screen, before it gets its width and its colours.
type line struct {
	spans []span
	// selected says that the cursor is on it.
	selected bool
}

// of makes a line of one span.
func of(r role, text string) line { return line{spans: []span{{text, r}}} }

// add appends clean text.
func (l *line) add(r role, text string) {
	if text != "" {
		l.spans = append(l.spans, span{text, r})
	}
}

// cells gives the room the line would like to have.
func (l *line) cells() int {
	n := 0
	for _, s := range l.spans {
		n += cells(s.text)
	}
	return n
}

// text gives the line without roles.
func (l *line) text() string {
	var b strings.Builder
	for _, s := range l.spans {
		b.WriteString(s.text)
	}
	return b.String()
}

// draw gives the line exactly the width, in colours: cut with a mark or filled with blanks.
func (l *line) draw(width int, look *look) string {
	var b strings.Builder
	room, whole := width, l.cells() <= width
	for _, s := range l.spans {
		if room == 0 {
			break
		}
		text, n := s.text, cells(s.text)
		if !whole && n >= room {
			text = cut(text+" ", room, look.glyphs.more)
			n = cells(text)
		}
		room -= n
		b.WriteString(look.styles.draw(s.role, l.selected, text))
	}
	if room > 0 {
		b.WriteString(look.styles.draw(rolePlain, l.selected, strings.Repeat(" ", room)))
	}
	return b.String()
}

// fill makes exactly so many lines: those that are missing are empty.
func fill(lines []line, height int) []line {
	if height <= 0 {
		return nil
	}
	if len(lines) >= height {
		return lines[:height]
	}
	return append(lines, make([]line, height-len(lines))...)
}
