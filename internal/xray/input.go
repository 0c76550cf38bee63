package xray

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
)

// inputLimit is the maximum number of characters, so that pasting a large text does no harm.
const inputLimit = 4096

// input is a line of text that is being edited.
type input struct {
	text []rune
	at   int
}

func newInput(text string) input {
	in := input{}
	in.insert(text)
	return in
}

func (in *input) value() string { return string(in.text) }

// insert inserts text at the cursor. Line ends become spaces.
func (in *input) insert(text string) {
	var runes []rune
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			runes = append(runes, ' ')
		case unicode.IsPrint(r):
			runes = append(runes, r)
		}
	}
	runes = runes[:min(len(runes), max(0, inputLimit-len(in.text)))]
	// Earlier models share the slice.
	in.text = slices.Concat(in.text[:in.at], runes, in.text[in.at:])
	in.at += len(runes)
}

// update handles a key. It reports whether the key edits a line.
func (in *input) update(msg tea.KeyPressMsg) bool {
	switch msg.String() {
	case "left", "ctrl+b":
		in.at = max(0, in.at-1)
	case "right", "ctrl+f":
		in.at = min(len(in.text), in.at+1)
	case "home", "ctrl+a":
		in.at = 0
	case "end", "ctrl+e":
		in.at = len(in.text)
	case "backspace", "ctrl+h":
		in.remove(in.at-1, in.at)
	case "delete", "ctrl+d":
		in.remove(in.at, in.at+1)
	case "ctrl+u":
		in.remove(0, in.at)
	case "ctrl+k":
		in.remove(in.at, len(in.text))
	case "ctrl+w", "alt+backspace":
		in.remove(in.wordBefore(), in.at)
	default:
		if msg.Text == "" {
			return false
		}
		in.insert(msg.Text)
	}
	return true
}

func (in *input) remove(from, to int) {
	from, to = max(0, from), min(len(in.text), to)
	if from >= to {
		return
	}
	in.text = slices.Concat(in.text[:from], in.text[to:])
	in.at = from
}

func (in *input) wordBefore() int {
	at := in.at
	for at > 0 && in.text[at-1] == ' ' {
		at--
	}
	for at > 0 && in.text[at-1] != ' ' {
		at--
	}
	return at
}

// draw returns the visible part of the line and the cell of the cursor in it.
func (in *input) draw(width int) (text string, cursor int) {
	if width <= 0 {
		return "", 0
	}
	before, after := clean(string(in.text[:in.at])), clean(string(in.text[in.at:]))
	if n := cells(before) - (width - 1); n > 0 {
		before = skip(before, n)
	}
	return cut(strings.TrimRight(before+after, "\n"), width, ""), min(cells(before), width-1)
}
