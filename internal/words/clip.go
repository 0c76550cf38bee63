package words

import (
	"strings"
	"unicode/utf8"
)

const (
	endMark    = "…"
	middleMark = " [...] "
)

// Clip returns s if it has at most n characters. Otherwise it returns the first n-1 of them and an
// ellipsis, or the empty string if n is less than 1.
func Clip(s string, n int) string {
	switch {
	case utf8.RuneCountInString(s) <= n:
		return s
	case n < 1:
		return ""
	}
	return string([]rune(s)[:n-1]) + endMark
}

// ClipBytes returns s if it has at most n bytes. Otherwise it returns the beginning of s and an
// ellipsis, n bytes or a few less, and drops bytes that are not valid UTF-8. n must be at least 3.
func ClipBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len(endMark)], "") + endMark
}

// ClipMiddle returns s if it has at most n bytes. Otherwise it returns the beginning and the end of
// s with " [...] " between them, n bytes or a few less, and drops bytes that are not valid UTF-8.
// It is for errors, which often begin with what they are about and end with the cause. n must be at
// least 7.
func ClipMiddle(s string, n int) string {
	if len(s) <= n {
		return s
	}
	half := (n - len(middleMark)) / 2
	return strings.ToValidUTF8(s[:half], "") + middleMark + strings.ToValidUTF8(s[len(s)-half:], "")
}
