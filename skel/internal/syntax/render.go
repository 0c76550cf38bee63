package syntax

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Render draws diagnostics for a reader: for each the place, the message, the line and a caret under what is meant, and the hint.
// name is what the source is called: a file, or empty. The last line has no line break.
func Render(name, source string, found []Diagnostic, more int) string {
	var b strings.Builder
	if name != "" {
		name += ":"
	}
	r := &renderer{out: &b, source: source, line: 1}
	for i, d := range found {
		if i > 0 {
			b.WriteString("\n")
		}
		d.Start = min(max(d.Start, 0), len(source))
		d.End = min(max(d.End, d.Start), len(source))
		r.seek(d.Start)
		line, column := r.line, 1+utf8.RuneCountInString(strings.TrimPrefix(r.source[r.start:d.Start], byteOrderMark))
		fmt.Fprintf(&b, "%s%d:%d: %s\n", name, line, column, d.Message)
		r.draw(d.Span)
		if d.Hint != "" {
			b.WriteString("  hint: " + d.Hint + "\n")
		}
	}
	switch {
	case more == 1:
		b.WriteString("\nand one more mistake\n")
	case more > 1:
		fmt.Fprintf(&b, "\nand %d more mistakes\n", more)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// renderer goes through a source from line to line, so that many diagnostics cost no more than the source is long.
type renderer struct {
	out    *strings.Builder
	source string
	// line is the number of the line that begins at start.
	line, start int
}

// seek goes to the line of a place. Places that come earlier are found from the beginning.
func (r *renderer) seek(at int) {
	if at < r.start {
		r.line, r.start = 1, 0
	}
	r.line += strings.Count(r.source[r.start:at], "\n")
	if i := strings.LastIndexByte(r.source[r.start:at], '\n'); i >= 0 {
		r.start += i + 1
	}
}

// text gives the current line, without its end.
func (r *renderer) text() string {
	line, _, _ := strings.Cut(r.source[r.start:], "\n")
	return strings.TrimSuffix(line, "\r")
}

// draw shows what is in a span. Of one that goes over several lines, these are the first and the last.
func (r *renderer) draw(at Span) {
	first, start := r.line, r.start
	last := strings.LastIndexByte(r.source[at.Start:at.End], '\n') + 1 + at.Start
	width := len(fmt.Sprint(first + strings.Count(r.source[at.Start:at.End], "\n")))
	r.excerpt(width, at)
	if last > at.Start && last < at.End {
		r.seek(last)
		if r.line > first+1 {
			fmt.Fprintf(r.out, "  %*s ...\n", width, "")
		}
		indent := len(r.text()) - len(strings.TrimLeft(r.text(), " \t"))
		r.excerpt(width, Span{min(r.start+indent, at.End), at.End})
		r.line, r.start = first, start
	}
}

// excerpt shows the part of a span that is in the current line, or where it ends if it is longer than a line can be shown.
func (r *renderer) excerpt(width int, at Span) {
	text := r.text()
	start := min(at.Start-r.start, len(text))
	end := max(start, min(at.End-r.start, len(text)))
	shown, before, carets := picture(text, start, end)
	fmt.Fprintf(r.out, "  %*d | %s\n", width, r.line, shown)
	fmt.Fprintf(r.out, "  %*s | %s%s\n", width, "", strings.Repeat(" ", before), strings.Repeat("^", carets))
}

const (
	// shownWidth is how many columns of a line are shown at most, and shownBefore how many of those before the carets if it is longer.
	shownWidth  = 100
	shownBefore = 40
	tabWidth    = 4
	// farAway is more bytes than can matter of a line on either side of where the carets begin.
	farAway = 4096
)

// picture gives what is shown of a line, and how many columns are before the carets that belong under text[start:end], and under it.
func picture(text string, start, end int) (shown string, before, carets int) {
	text, start, end = near(text, start, end)
	left, column := expand(text[:start], 0)
	middle, column := expand(text[start:end], column)
	right, _ := expand(text[end:], column)
	before, carets = columns(left), max(1, columns(middle))
	if columns(left+middle+right) <= shownWidth {
		return left + middle + right, before, carets
	}
	if before > shownBefore {
		// A wide character in the way of the cut is left out altogether.
		left = "…" + ansi.TruncateLeft(left, before-shownBefore+1, "")
		before = columns(left)
	}
	carets = min(carets, shownWidth-before-1)
	return ansi.Truncate(left+middle+right, shownWidth, "…"), before, carets
}

// near cuts a line that is very long.
func near(text string, start, end int) (string, int, int) {
	to := min(len(text), start+farAway)
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	from := max(0, start-farAway)
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	return text[from:to], start - from, min(end, to) - from
}

// expand gives a text as it can be shown, with spaces for tabs; column is where it begins, and where the next one does.
func expand(text string, column int) (string, int) {
	var b strings.Builder
	for i, part := range strings.Split(text, "\t") {
		if i > 0 {
			spaces := tabWidth - column%tabWidth
			b.WriteString(strings.Repeat(" ", spaces))
			column += spaces
		}
		part = printable(part)
		b.WriteString(part)
		column += columns(part)
	}
	return b.String(), column
}

// printable returns a text in which nothing is left that a terminal would not show but obey, or
// that would turn its direction around: it is spelled as an escape. A byte order mark is left out.
func printable(text string) string {
	var b strings.Builder
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case r == '\ufeff':
		case !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r) && r != '\u2028' && r != '\u2029':
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[size:]
	}
	return b.String()
}
