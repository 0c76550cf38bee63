package syntax

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Render renders diagnostics: for each the position, the message, the line with a caret, and the
// hint. name is the name of the source, a file name or empty. The last line has no line break.
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

// renderer moves through a source line by line, so that the cost of many diagnostics is bounded by
// the length of the source.
type renderer struct {
	out    *strings.Builder
	source string
	// line is the number of the line that begins at start.
	line, start int
}

// seek moves to the line of an offset. It starts from the beginning if the offset is before the
// current line.
func (r *renderer) seek(at int) {
	if at < r.start {
		r.line, r.start = 1, 0
	}
	r.line += strings.Count(r.source[r.start:at], "\n")
	if i := strings.LastIndexByte(r.source[r.start:at], '\n'); i >= 0 {
		r.start += i + 1
	}
}

// text returns the current line, without its end.
func (r *renderer) text() string {
	line, _, _ := strings.Cut(r.source[r.start:], "\n")
	return strings.TrimSuffix(line, "\r")
}

// draw renders a span. If it extends over several lines, the first and the last are shown.
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

// excerpt renders the part of a span in the current line, or its end if the line is longer than can
// be shown.
func (r *renderer) excerpt(width int, at Span) {
	text := r.text()
	start := min(at.Start-r.start, len(text))
	end := max(start, min(at.End-r.start, len(text)))
	shown, before, carets := shownPart(text, start, end)
	fmt.Fprintf(r.out, "  %*d | %s\n", width, r.line, shown)
	fmt.Fprintf(r.out, "  %*s | %s%s\n", width, "", strings.Repeat(" ", before), strings.Repeat("^", carets))
}

const (
	// shownWidth is the maximum number of columns of a line that are shown; shownBefore is the maximum
	// number of those before the carets if the line is longer.
	shownWidth  = 100
	shownBefore = 40
	tabWidth    = 4
	// maxContext is the maximum number of bytes on either side of the carets that are considered.
	maxContext = 4096
)

// shownPart returns the part of a line that is shown, the number of columns before the carets, and
// the number of carets for text[start:end].
func shownPart(text string, start, end int) (shown string, before, carets int) {
	text, start, end = truncateAround(text, start, end)
	left, column := expand(text[:start], 0)
	middle, column := expand(text[start:end], column)
	right, _ := expand(text[end:], column)
	before, carets = columns(left), max(1, columns(middle))
	if columns(left+middle+right) <= shownWidth {
		return left + middle + right, before, carets
	}
	if before > shownBefore {
		// A wide character at the cut is left out.
		left = "…" + ansi.TruncateLeft(left, before-shownBefore+1, "")
		before = columns(left)
	}
	carets = min(carets, shownWidth-before-1)
	return ansi.Truncate(left+middle+right, shownWidth, "…"), before, carets
}

// truncateAround truncates a very long line.
func truncateAround(text string, start, end int) (string, int, int) {
	to := min(len(text), start+maxContext)
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	from := max(0, start-maxContext)
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	return text[from:to], start - from, min(end, to) - from
}

// expand returns a text with tabs expanded to spaces. column is the column of its start; the result
// is that of its end.
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

// printable returns a text in which control characters and characters that change the text
// direction are escaped. A byte order mark is removed.
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
