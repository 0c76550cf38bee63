package tracejson

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// yamlWriter converts JSON of an Encoder to a YAML document in the same order. It starts from JSON
// so that both formats have the same values.
type yamlWriter struct {
	src []byte
	pos int
	out []byte
}

// longestKey is the maximum length of a key in the short notation.
const longestKey = 1000

func (y *yamlWriter) document() []byte {
	y.out = append(y.out, "---"...)
	y.value(0, true)
	return y.out
}

// value writes the next value at an indentation. afterKey reports whether it follows a key or the
// beginning of the document instead of a dash.
func (y *yamlWriter) value(indent int, afterKey bool) {
	switch c := y.src[y.pos]; {
	case c == '{' && y.src[y.pos+1] != '}':
		y.object(indent, afterKey)
	case c == '[' && y.src[y.pos+1] != ']':
		y.array(indent, afterKey)
	case c == '{' || c == '[':
		y.out = append(y.out, ' ', c, c+2, '\n') // c+2 is the closing one in ASCII
		y.pos += 2
	case c == '"':
		y.out = append(y.out, ' ')
		y.text(y.string(), indent)
		y.out = append(y.out, '\n')
	default:
		start := y.pos
		for y.pos < len(y.src) && !strings.ContainsRune(",]}", rune(y.src[y.pos])) {
			y.pos++
		}
		y.out = append(append(append(y.out, ' '), y.src[start:y.pos]...), '\n')
	}
}

func (y *yamlWriter) object(indent int, afterKey bool) {
	inner := indent
	for first := true; y.src[y.pos] != '}'; first = false {
		y.pos++ // the brace or a comma
		switch {
		case !first:
			y.indent(inner)
		case afterKey:
			y.out = append(y.out, '\n')
			y.indent(inner)
		default:
			y.out = append(y.out, ' ')
		}
		key := y.string()
		y.pos++ // the colon
		if isLong := len(key) > longestKey; isLong {
			y.out = append(y.out, "? "...)
			y.quoted(key)
			y.out = append(y.out, '\n')
			y.indent(inner)
		} else {
			y.plainOrQuoted(key)
		}
		y.out = append(y.out, ':')
		isArray := y.src[y.pos] == '['
		if isArray {
			y.value(inner, true) // its dashes distinguish it
		} else {
			y.value(inner+2, true)
		}
	}
	y.pos++
}

func (y *yamlWriter) array(indent int, afterKey bool) {
	for first := true; y.src[y.pos] != ']'; first = false {
		y.pos++ // the bracket or a comma
		switch {
		case !first:
			y.indent(indent)
		case afterKey:
			y.out = append(y.out, '\n')
			y.indent(indent)
		default:
			y.out = append(y.out, ' ')
		}
		y.out = append(y.out, '-')
		y.value(indent+2, false)
	}
	y.pos++
}

func (y *yamlWriter) indent(n int) {
	for range n {
		y.out = append(y.out, ' ')
	}
}

// string reads a JSON string.
func (y *yamlWriter) string() string {
	end := y.pos + 1
	for y.src[end] != '"' {
		if y.src[end] == '\\' {
			end++
		}
		end++
	}
	raw := y.src[y.pos : end+1]
	y.pos = end + 1
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	_ = json.Unmarshal(raw, &s) // the Encoder wrote it
	return s
}

// text writes a string value, as a block of lines if possible.
func (y *yamlWriter) text(s string, indent int) {
	if !strings.Contains(s, "\n") || !isBlockText(s) {
		y.plainOrQuoted(s)
		return
	}
	body := strings.TrimSuffix(s, "\n")
	switch {
	case body == s:
		y.out = append(y.out, "|-"...)
	case strings.HasSuffix(body, "\n"):
		y.out = append(y.out, "|+"...)
	default:
		y.out = append(y.out, '|')
	}
	for line := range strings.SplitSeq(body, "\n") {
		y.out = append(y.out, '\n')
		if line != "" {
			y.indent(max(indent, 2))
			y.out = append(y.out, line...)
		}
	}
}

// isBlockText reports whether a string can be a block of lines.
func isBlockText(s string) bool {
	if strings.ContainsAny(s[:1], " \t\n") {
		return false
	}
	for _, r := range s {
		if r != '\n' && r != '\t' && !isPrintable(r) {
			return false
		}
	}
	// A block of lines cannot end with lines of spaces.
	return strings.TrimRight(s, "\n") == strings.TrimRight(s, " \t\n")
}

// isPrintable reports whether a character needs no escape in YAML. Other line breaks than \n are
// escaped.
func isPrintable(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r <= 0x9f, r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffe, r == 0xffff:
		return false
	}
	return true
}

func (y *yamlWriter) plainOrQuoted(s string) {
	if isPlain(s) {
		y.out = append(y.out, s...)
		return
	}
	y.quoted(s)
}

// isPlain reports whether a string needs no quotes. In doubt, it returns false.
func isPlain(s string) bool {
	if s == "" || len(s) > longestKey || !isLetter(s[0]) && s[0] != '/' && s[0] != '_' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case isLetter(c), c >= '0' && c <= '9', strings.IndexByte("/_.-+@=,()$%", c) >= 0:
		case (c == ':' || c == ' ') && i+1 < len(s) && s[i+1] != ' ' && s[i+1] != '#':
		default:
			return false
		}
	}
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return true
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// quoted writes a string in double quotes.
func (y *yamlWriter) quoted(s string) {
	y.out = append(y.out, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			y.out = append(y.out, '\\', byte(r))
		case r == '\n':
			y.out = append(y.out, `\n`...)
		case r == '\t':
			y.out = append(y.out, `\t`...)
		case isPrintable(r):
			y.out = utf8.AppendRune(y.out, r)
		default:
			y.out = append(y.out, '\\', 'u', hexDigits[r>>12&0xf], hexDigits[r>>8&0xf], hexDigits[r>>4&0xf], hexDigits[r&0xf])
		}
	}
	y.out = append(y.out, '"')
}
