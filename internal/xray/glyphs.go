package xray

import "strings"

// glyphs are the characters that are not text, with ASCII replacements for terminals that lack
// them.
type glyphs struct {
	more         string // something is missing here
	closed, open string // an event, and whether its objects are shown
	cursor       string // where the cursor is, beside a line
	mark         string // where the cursor is, under the sparkline
	vertical     string
	bars         []string // from nothing to full
	// The bar of a pod: its start, its duration, its end, and that it continues after the trace.
	begin, run, end, on string
	dot, down           string
	ascii               bool
}

func newGlyphs(unicode bool) glyphs {
	if !unicode {
		return glyphs{
			more: "~", closed: "+", open: "-", cursor: ">", mark: "^", vertical: "|",
			bars:  []string{" ", ".", ":", "-", "=", "+", "*", "#", "@"},
			begin: "[", run: "=", end: "]", on: ">", dot: "-", down: "Down", ascii: true,
		}
	}
	return glyphs{
		more: "…", closed: "▸", open: "▾", cursor: "▌", mark: "▲", vertical: "│",
		bars:  []string{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
		begin: "├", run: "━", end: "┤", on: "▶", dot: "·", down: "↓",
	}
}

// UTF8 reports whether the terminal uses UTF-8 according to the first of LC_ALL, LC_CTYPE and LANG
// that is set.
func UTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := getenv(name); value != "" {
			return utf8Locale(value)
		}
	}
	return false
}

func utf8Locale(name string) bool {
	_, charset, ok := strings.Cut(strings.ToLower(name), ".")
	if !ok {
		return false
	}
	charset, _, _ = strings.Cut(charset, "@")
	return charset == "utf-8" || charset == "utf8"
}
