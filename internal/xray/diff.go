package xray

import (
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// diffLine is a line of one version or of two.
type diffLine struct {
	// op is ' ' for an unchanged line, '-' for a removed line, '+' for an added line, and '@' for a
	// heading in place of unchanged lines.
	op   byte
	text string
}

// unchangedAround is how many unchanged lines are shown around a change.
const unchangedAround = 3

// compare returns the lines of two versions, merged.
func compare(before, after []string) []diffLine {
	var (
		out []diffLine
		old = joinLines(before)
		at  = 0
	)
	emit := func(op byte, text string) {
		for l := range strings.Lines(text) {
			out = append(out, diffLine{op, strings.TrimSuffix(l, "\n")})
		}
	}
	for _, edit := range udiff.Lines(old, joinLines(after)) {
		emit(' ', old[at:edit.Start])
		emit('-', old[edit.Start:edit.End])
		emit('+', edit.New)
		at = edit.End
	}
	emit(' ', old[at:])
	return out
}

// all returns the lines with the same op.
func all(op byte, lines []string) []diffLine {
	out := make([]diffLine, len(lines))
	for i, l := range lines {
		out[i] = diffLine{op, l}
	}
	return out
}

// onlyChanges drops unchanged lines except those around a change. A heading with the keys above the
// next change takes their place.
func onlyChanges(lines []diffLine) []diffLine {
	keep := make([]bool, len(lines))
	for i, l := range lines {
		if l.op == ' ' {
			continue
		}
		for j := max(0, i-unchangedAround); j <= min(len(lines)-1, i+unchangedAround); j++ {
			keep[j] = true
		}
	}
	text := make([]string, len(lines))
	for i, l := range lines {
		text[i] = l.text
	}
	var out []diffLine
	for i, l := range lines {
		if !keep[i] {
			continue
		}
		if i > 0 && !keep[i-1] {
			change := i
			for lines[change].op == ' ' {
				change++
			}
			out = append(out, diffLine{'@', strings.Join(pathAt(text, change), ".")})
		}
		out = append(out, l)
	}
	return out
}

func joinLines(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// changedLines returns the numbers of added and removed lines.
func changedLines(lines []diffLine) (added, removed int) {
	for _, l := range lines {
		switch l.op {
		case '+':
			added++
		case '-':
			removed++
		}
	}
	return added, removed
}
