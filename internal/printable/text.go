package printable

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns text for a single line: line breaks and tabs are escaped, too.
func Line(text string) string { return clean(text, "") }

// Text returns text for several lines: line breaks and tabs are kept.
func Text(text string) string { return clean(text, "\n\t") }

// isControl reports whether a terminal would act on a character in place of displaying it, or would
// change the text direction.
func isControl(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// clean escapes all control characters in a text, except those in keep.
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
		if r == utf8.RuneError && size == 1 || isControl(r) && !strings.ContainsRune(keep, r) {
			Escape(&b, rest[:size])
		} else {
			b.WriteString(rest[:size])
		}
		rest = rest[size:]
	}
	return b.String()
}

// Escape appends every character of a text as an escape, and so the bytes that are not valid UTF-8.
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

// JSON returns an equivalent JSON text, in which the control characters that encoding/json leaves
// in strings are escaped.
func JSON(text []byte) []byte {
	escaped := func(r rune) bool { return r >= 0x7f && isControl(r) }
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
