package xray

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"simkube.io/simkube/internal/words"
)

// findingsText is how many lines below the list describe the selected finding, if there is room.
const findingsText = 7

// listHeight returns the number of lines of the list itself.
func (f *findings) listHeight(height int) int {
	if height > 2*findingsText {
		height -= findingsText
	}
	return max(1, height-2)
}

// view draws the list and the description of the selected finding.
func (f *findings) view(width, height int, look *look) []line {
	lines := []line{of(roleTitle, " "+f.title()), {}}
	if f.err != nil {
		lines[1] = of(roleError, " "+clean(f.err.Error()))
	}
	f.pane.fit(len(f.all), f.listHeight(height))
	for i := f.pane.top; i < min(f.pane.top+f.pane.height, len(f.all)); i++ {
		lines = append(lines, f.row(i, look))
	}
	if height <= 2*findingsText || f.pane.at >= len(f.all) {
		return fill(lines, height)
	}
	lines = fill(lines, height-findingsText)
	return fill(append(lines, f.chosen(width)...), height)
}

func (f *findings) title() string {
	counts := map[Severity]int{}
	for _, x := range f.all {
		counts[x.Severity]++
	}
	text := fmt.Sprintf("Validation: %s, %s", words.Count(counts[SeverityError], "error"), words.Count(counts[SeverityWarning], "warning"))
	if n := counts[SeverityInfo]; n > 0 {
		text += ", " + words.Count(n, "info")
	}
	switch {
	case !f.running:
		return "Validation is not available here"
	case !f.done:
		return text + " so far"
	}
	return text
}

func (f *findings) row(i int, look *look) line {
	x := f.all[i]
	l := of(rolePlain, " ")
	if i == f.pane.at {
		l = of(roleKey, look.glyphs.cursor)
		l.selected = true
	}
	l.add(severityRole(x.Severity), findingMark(x.Severity)+left(clean(x.Code), 6))
	l.add(roleDim, right("#"+words.Number(x.Event+1), 8)+"  ")
	l.add(rolePlain, f.what(x)+": "+clean(x.Message))
	return l
}

func (f *findings) what(x Finding) string {
	if x.Object.Name == "" {
		return "event"
	}
	return objectName(x.Object)
}

// chosen returns the description of the selected finding.
func (f *findings) chosen(width int) []line {
	x := f.all[f.pane.at]
	text := fmt.Sprintf("%s %s: %s", x.Code, x.Severity, x.Message)
	if x.Field != "" {
		text += " (" + x.Field + ")"
	}
	if x.Count > 1 {
		text += fmt.Sprintf(" (%s times)", words.Number(x.Count))
	}
	out := []line{{}}
	for _, paragraph := range []string{f.what(x), text, x.Help} {
		for l := range strings.Lines(paragraph) {
			for part := range strings.Lines(ansi.Wrap(clean(strings.TrimRight(l, "\n")), max(10, width-2), "")) {
				out = append(out, of(rolePlain, " "+strings.TrimRight(part, "\n")))
			}
		}
	}
	return out
}
