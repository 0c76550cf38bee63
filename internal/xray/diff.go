package xray

import (
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// diffLine is a line of one version or of two.
type diffLine struct {
	// op is ' ' for a line of both, '-' for one that is gone, '+' for one that is new, and '@' for a
	// heading: what lies between two changes is left out there.
	op   byte
	text string
}

// unchangedAround is how many unchanged lines are shown around a change.
const unchangedAround = 3

// compare gives the lines of two versions as one text.
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

// all marks every line with the same.
func all(op byte, lines []string) []diffLine {
	out := make([]diffLine, len(lines))
	for i, l := range lines {
		out[i] = diffLine{op, l}
	}
	return out
}

// onlyChanges leaves out what has not changed but for a few lines around what has, and puts a
// heading where something is missing: the keys under which the next change stands.
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

// changedLines counts the lines that are new and that are gone.
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
