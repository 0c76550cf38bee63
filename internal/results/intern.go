package results

import "strings"

// interner keeps one copy of each string. What it is given is copied, so that it holds on to no
// buffer a string was cut from.
type interner map[string]string

func (in interner) get(s string) string {
	if s == "" {
		return ""
	}
	if kept, ok := in[s]; ok {
		return kept
	}
	kept := strings.Clone(s)
	in[kept] = kept
	return kept
}
