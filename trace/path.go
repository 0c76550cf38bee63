package trace

import (
	"strconv"
	"strings"
)

// maxPathKey is the maximum number of bytes of a key in the path of an error.
const maxPathKey = 64

// in adds a map's key to the path of the error. Errors collect their path while they are returned,
// so reading without an error has no overhead.
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

// at adds an array index to the path of the error.
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

// plainKey reports whether a key needs no quotes in a path.
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
