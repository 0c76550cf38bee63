package trace

import (
	"strconv"
	"strings"
)

// maxPathKey is how many bytes of a key an error's path shows.
const maxPathKey = 64

// in notes that the error happened under a map's key. Errors collect their path while they are
// returned, so that reading without one pays nothing for it.
func (e *FormatError) in(key string) *FormatError {
	seg := key
	if len(seg) > maxPathKey {
		seg = strings.ToValidUTF8(seg[:maxPathKey], "") + "…"
	}
	if plainKey(seg) {
		return e.under(seg)
	}
	return e.under("[" + strconv.Quote(seg) + "]")
}

// at notes that the error happened in an array's element.
func (e *FormatError) at(i int) *FormatError {
	return e.under("[" + strconv.Itoa(i) + "]")
}

func (e *FormatError) under(seg string) *FormatError {
	if e.Path != "" && e.Path[0] != '[' {
		seg += "."
	}
	e.Path = seg + e.Path
	return e
}

// plainKey tells whether a key can stand in a path without quotes.
func plainKey(key string) bool {
	for _, c := range []byte(key) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return key != ""
}
