package manifest

// valueEnd finds the end of a JSON value that is read in pieces. It follows brackets and strings
// and validates nothing else.
type valueEnd struct {
	depth    int
	inString bool
	// escaped is whether the next byte belongs to an escape sequence.
	escaped bool
}

// find processes the next piece. It returns how much of it belongs to the value, and whether the
// value ends there. A number or a literal ends before the first byte that cannot belong to it.
func (v *valueEnd) find(data []byte) (n int, done bool) {
	for i := 0; i < len(data); i++ {
		c := data[i]
		if v.inString {
			switch {
			case v.escaped:
				v.escaped = false
			case c == '\\':
				v.escaped = true
			case c == '"':
				v.inString = false
				if v.depth == 0 {
					return i + 1, true
				}
			case len(data)-i > 8:
				i = plainEnd(data, i+1) - 1
			}
			continue
		}
		switch c {
		case '"':
			v.inString = true
		case '{', '[':
			v.depth++
		case '}', ']', ',', ':', ' ', '\t', '\n', '\r':
			if v.depth == 0 {
				return i, true
			}
			if c == '}' || c == ']' {
				if v.depth--; v.depth == 0 {
					return i + 1, true
				}
			}
		}
	}
	return len(data), false
}
