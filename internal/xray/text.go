package xray

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"simkube.io/simkube/internal/printable"
)

// clean returns text from a trace in a form that is safe to display: what would move the cursor,
// change the terminal, turn the direction of writing or be invisible becomes an escape, as do the
// few characters whose width differs between terminals.
func clean(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		cluster := s[:1]
		if s[0] >= ' ' {
			cluster, _ = ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		}
		if showable(cluster) {
			b.WriteString(cluster)
		} else {
			printable.Escape(&b, cluster)
		}
		s = s[len(cluster):]
	}
	return b.String()
}

// showable reports whether a character, with its combining characters, looks the same and has the
// same width on all terminals.
func showable(cluster string) bool {
	for _, r := range cluster {
		if r == utf8.RuneError || !unicode.IsPrint(r) && !unicode.Is(unicode.Mn, r) {
			return false
		}
	}
	width := ansi.StringWidth(cluster)
	return width > 0 && width <= 2 && width == ansi.StringWidthWc(cluster)
}

// cells returns the width of clean text.
func cells(s string) int {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return ansi.StringWidth(s)
		}
	}
	return len(s)
}

// cut returns as much of clean text as fits, with a mark if some is missing.
func cut(s string, width int, mark string) string {
	if width <= 0 {
		return ""
	}
	if cells(s) <= width {
		return s
	}
	if cells(mark) > width {
		mark = ""
	}
	return ansi.Truncate(s, width, mark)
}

// skip returns clean text without its first n cells. A wide character that is cut in half leaves a
// space.
func skip(s string, n int) string {
	if n <= 0 {
		return s
	}
	for n > 0 && s != "" {
		cluster, width := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		s, n = s[len(cluster):], n-width
	}
	return strings.Repeat(" ", max(0, -n)) + s
}

// right aligns clean text to the right.
func right(s string, width int) string {
	if n := width - cells(s); n > 0 {
		return strings.Repeat(" ", n) + s
	}
	return s
}

// left aligns clean text to the left.
func left(s string, width int) string {
	if n := width - cells(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}
