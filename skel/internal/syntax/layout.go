package syntax

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// layoutKind tells layouts apart.
type layoutKind uint8

const (
	layoutText layoutKind = iota
	layoutBreak
	layoutComment
	layoutGroup
)

// layout is text that may be laid out in one line or in several. A group is in one line if it fits and no comment keeps it from
// that; otherwise all of its own breaks are line ends. Comments wait for the next line end.
type layout struct {
	kind layoutKind
	// text is a text, a comment, or what a break is when it is no line end.
	text string
	// indent is how far the lines after a break, or those of a group, are moved to the right.
	indent int
	// closing tells that a break comes before a closing bracket: comments there belong to what is in the brackets.
	closing bool
	// ownLine tells that a comment stands in its own line.
	ownLine bool
	inner   []layout
	// width is that of a group in one line, and broken that it cannot be in one.
	width  int
	broken bool
}

const (
	// lineWidth is how wide lines are that can be broken.
	lineWidth = 100
	// indentation is what lines are moved to the right by.
	indentation = "    "
)

// layOut gives the text of a command's layout.
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

// measure finds out how wide groups are, and which have to be broken for a comment. Waiting tells that a comment waits for a line
// end when the layout begins, or when it is over.
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
	// column is how wide the current line is.
	column int
	// waiting are the comments that come at the next line end.
	waiting []layout
}

func (w *layoutWriter) text(s string) {
	w.out.WriteString(s)
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		w.column, s = 0, s[i+1:]
	}
	w.column += columns(s)
}

// line ends a line, with the comments that wait.
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

// write writes a layout at a depth. Tail is how wide what comes after it is, up to the next break.
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

// upToBreak is how wide the beginning of a layout is that cannot be broken, and whether that is all of it.
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

// columns is how wide a text is.
func columns(text string) int {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return ansi.StringWidth(text)
		}
	}
	return len(text)
}
