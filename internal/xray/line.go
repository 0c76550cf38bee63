package xray

import "strings"

// span is a piece of clean text with a role.
type span struct {
	text string
	role role
}

// line is one line of the screen, without its final width and colours.
type line struct {
	spans []span
	// selected reports whether the cursor is on the line.
	selected bool
}

// of returns a line of one span.
func of(r role, text string) line { return line{spans: []span{{text, r}}} }

// add appends clean text.
func (l *line) add(r role, text string) {
	if text != "" {
		l.spans = append(l.spans, span{text, r})
	}
}

// cells returns the width of the line.
func (l *line) cells() int {
	n := 0
	for _, s := range l.spans {
		n += cells(s.text)
	}
	return n
}

// text returns the line without roles.
func (l *line) text() string {
	var b strings.Builder
	for _, s := range l.spans {
		b.WriteString(s.text)
	}
	return b.String()
}

// draw returns the line in colours with exactly the width: truncated with a mark or padded with
// spaces.
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

// fill returns exactly height lines. Missing ones are empty.
func fill(lines []line, height int) []line {
	if height <= 0 {
		return nil
	}
	if len(lines) >= height {
		return lines[:height]
	}
	return append(lines, make([]line, height-len(lines))...)
}
