package results

import "strings"

// interner keeps one copy of each string. It copies strings, so that it does not retain the buffers
// that they are part of.
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
