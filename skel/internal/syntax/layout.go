package syntax

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// layoutKind is the kind of a layout.
type layoutKind uint8

const (
	layoutText layoutKind = iota
	layoutBreak
	layoutComment
	layoutGroup
)

// layout is text that may be laid out on one line or on several. A group is put on one line if it
// fits and contains no comment that prevents it; otherwise all of its own breaks become line ends.
// Comments are written at the next line end.
type layout struct {
	kind layoutKind
	// text is a text, a comment, or the text of a break that is not a line end.
	text string
	// indent is the additional indentation of the lines after a break, or of a group.
	indent int
	// closing is true for a break before a closing bracket: comments there belong to the content of
	// the brackets.
	closing bool
	// ownLine is true for a comment on its own line.
	ownLine bool
	inner   []layout
	// width is the width of a group on one line; broken means that it cannot be on one line.
	width  int
	broken bool
}

const (
	// lineWidth is the maximum width of lines that can be broken.
	lineWidth = 100
	// indentation is the text of one level of indentation.
	indentation = "    "
)

// layOut returns the text of a command's layout.
func layOut(l []layout) string {
	w := &layoutWriter{}
	measure(l, false)
	w.write(l, 0, 0, false)
	for i, c := range w.waiting {
		if i == 0 && !c.ownLine {
			w.text(" " + c.text)
			continue
		}
		w.text("\n" + c.text)
	}
	return w.out.String()
}

// measure computes the widths of groups, and which groups have to be broken for a comment. waiting
// and stillWaiting report whether a comment waits for a line end before and after the layout.
func measure(l []layout, waiting bool) (width int, broken, stillWaiting bool) {
	for i := range l {
		e := &l[i]
		switch e.kind {
		case layoutComment:
			waiting = true
		case layoutText:
			width += columns(e.text)
		case layoutBreak:
			width += len(e.text)
			broken = broken || waiting
			waiting = false
		case layoutGroup:
			var rest bool
			e.width, e.broken, rest = measure(e.inner, false)
			width += e.width
			broken = broken || e.broken
			waiting = rest || waiting && !e.broken
		}
	}
	return width, broken, waiting
}

type layoutWriter struct {
	out strings.Builder
	// column is the width of the current line so far.
	column int
	// waiting are the comments to write at the next line end.
	waiting []layout
}

func (w *layoutWriter) text(s string) {
	w.out.WriteString(s)
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		w.column, s = 0, s[i+1:]
	}
	w.column += columns(s)
}

// line ends a line, and writes the waiting comments.
func (w *layoutWriter) line(indent int, closing bool) {
	comments := indent
	if closing {
		comments++
	}
	for i, c := range w.waiting {
		if i == 0 && !c.ownLine {
			w.text(" " + c.text)
			continue
		}
		w.text("\n" + strings.Repeat(indentation, comments) + c.text)
	}
	w.waiting = nil
	w.text("\n" + strings.Repeat(indentation, indent))
}

// write writes a layout with an indentation. tail is the width of what follows, up to the next
// break.
func (w *layoutWriter) write(l []layout, indent, tail int, broken bool) {
	for i, e := range l {
		switch e.kind {
		case layoutText:
			w.text(e.text)
		case layoutComment:
			w.waiting = append(w.waiting, e)
		case layoutBreak:
			if broken {
				w.line(indent+e.indent, e.closing)
			} else {
				w.text(e.text)
			}
		case layoutGroup:
			after, whole := upToBreak(l[i+1:])
			if whole {
				after += tail
			}
			w.write(e.inner, indent+e.indent, after, e.broken || w.column+e.width+after > lineWidth)
		}
	}
}

// upToBreak returns the width of the start of a layout up to the first break, and whether that is
// all of it.
func upToBreak(l []layout) (width int, whole bool) {
	for _, e := range l {
		switch e.kind {
		case layoutText:
			width += columns(e.text)
		case layoutBreak:
			return width, false
		case layoutGroup:
			inner, all := upToBreak(e.inner)
			width += inner
			if !all {
				return width, false
			}
		}
	}
	return width, true
}

// columns returns the width of a text.
func columns(text string) int {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return ansi.StringWidth(text)
		}
	}
	return len(text)
}
