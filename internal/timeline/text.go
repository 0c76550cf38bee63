package timeline

import (
	"bytes"
	"strings"
)

// textSearch looks for a text in manifests, in upper or lower case.
type textSearch struct {
	lower string
}

func newTextSearch(text string) *textSearch { return &textSearch{lower: strings.ToLower(text)} }

// mayContain tells whether a manifest among these bytes may have the text.
func (t *textSearch) mayContain(raw []byte) bool { return t.in(raw) }

// in tells whether a manifest has the text.
func (t *textSearch) in(raw []byte) bool {
	return bytes.Contains(bytes.ToLower(raw), []byte(t.lower))
}
