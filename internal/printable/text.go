package printable

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns a text that takes one line, with line breaks and tabs as escapes, too.
func Line(text string) string { return clean(text, "") }

// Text returns a text of several lines. Line breaks and tabs stay as they are.
func Text(text string) string { return clean(text, "\n\t") }

// obeyed reports whether a terminal would not show a character, but do something, or write what
// follows in another direction.
func obeyed(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// clean escapes everything in a text that is obeyed, but what is in keep.
func clean(text, keep string) string {
	from := 0
	for from < len(text) && text[from] >= ' ' && text[from] < 0x7f {
		from++
	}
	if from == len(text) {
		return text
	}
	var b strings.Builder
	b.WriteString(text[:from])
	for rest := text[from:]; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if r == utf8.RuneError && size == 1 || obeyed(r) && !strings.ContainsRune(keep, r) {
			Escape(&b, rest[:size])
		} else {
			b.WriteString(rest[:size])
		}
		rest = rest[size:]
	}
	return b.String()
}

// Escape writes every character of a text as an escape, and the bytes of what is no UTF-8.
func Escape(b *strings.Builder, text string) {
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(b, `\x%02x`, text[0])
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < utf8.RuneSelf:
			fmt.Fprintf(b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(b, `\U%08x`, r)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
		text = text[size:]
	}
}

// JSON returns the text of a JSON value that means the same. What encoding/json leaves in strings
// has escapes, too.
func JSON(text []byte) []byte {
	escaped := func(r rune) bool { return r >= 0x7f && obeyed(r) }
	if bytes.IndexFunc(text, escaped) < 0 {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if escaped(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}
