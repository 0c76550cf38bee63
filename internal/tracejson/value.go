package tracejson

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
)

// appendManifest appends the JSON of the next value of a manifest.
func (p *packed) appendManifest(b []byte) []byte {
	t := p.next()
	switch t.kind {
	case kindString:
		return appendString(b, t.data)
	case kindMap:
		b = append(b, '{')
		for i := range t.n {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, p.next().data), ':')
			b = p.appendManifest(b)
		}
		return append(b, '}')
	case kindArray:
		b = append(b, '[')
		for i := range t.n {
			if i > 0 {
				b = append(b, ',')
			}
			b = p.appendManifest(b)
		}
		return append(b, ']')
	case kindBinary:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, t.data)
		return append(b, '"')
	}
	return appendScalar(b, t)
}

// appendScalar appends a value that is not a string, map or array.
func appendScalar(b []byte, t token) []byte {
	switch t.kind {
	case kindBool:
		return strconv.AppendBool(b, t.bits != 0)
	case kindInt:
		if t.negative {
			return strconv.AppendInt(b, int64(t.bits), 10)
		}
		return strconv.AppendUint(b, t.bits, 10)
	case kindFloat:
		return appendFloat(b, math.Float64frombits(t.bits))
	}
	return append(b, "null"...)
}

// appendFloat appends the shortest number with the same float64 value, with a decimal point so that
// it stays a float.
func appendFloat(b []byte, f float64) []byte {
	start := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, 64)
	point := len(b)
	for i, c := range b[start:] {
		if c == '.' {
			return b
		}
		if c == 'e' {
			point = start + i
			break
		}
	}
	return slices.Insert(b, point, '.', '0')
}

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string. It escapes only what must be escaped.
func appendString[S string | []byte](b []byte, s S) []byte {
	b = append(b, '"')
	i := 0
	for i < len(s) && !needsEscape(s[i]) {
		i++
	}
	if i == len(s) { // as almost always
		b = append(b, s...)
		return append(b, '"')
	}
	return appendEscaped(b, s)
}

func needsEscape(c byte) bool { return c < ' ' || c == '"' || c == '\\' }

// appendEscaped appends the rest of a JSON string.
func appendEscaped[S string | []byte](b []byte, s S) []byte {
	done := 0
	for i := range len(s) {
		c := s[i]
		if !needsEscape(c) {
			continue
		}
		b = append(b, s[done:i]...)
		done = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
	}
	b = append(b, s[done:]...)
	return append(b, '"')
}

// appendHash appends a hash as a string, because many programs read numbers as floats, which are
// too imprecise.
func appendHash(b []byte, hash uint64) []byte {
	b = append(b, '"')
	b = strconv.AppendUint(b, hash, 10)
	return append(b, '"')
}
