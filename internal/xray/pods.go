package xray

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// pods has the lifecycles of the pods of one owner.
type pods struct {
	owner trace.PodOwner
	all   []timeline.PodLifecycle
	// from and to bound the time that is drawn.
	from, to int64
	note     string
	pane     pane
}

// podsMsg has the pods that were found for a place.
type podsMsg struct {
	owner trace.PodOwner
	all   []timeline.PodLifecycle
	note  string
}

// loadPods finds the pods of an object, or of its owner.
func loadPods(file *timeline.File, p timeline.Place) tea.Cmd {
	return func() tea.Msg {
		owner, ok, err := file.Owner(p)
		switch {
		case err != nil:
			return podsMsg{note: clean(err.Error())}
		case ok:
			return podsMsg{owner: owner, all: file.Lifecycles(owner)}
		case !file.Progress().Done:
			return podsMsg{note: "lifecycles are at the end of the trace, which is still being read"}
		}
		info, _ := file.ObjectAt(p)
		return podsMsg{note: "the trace has no pods of " + objectName(file.Object(info.Object)) + " or its owners"}
	}
}

func newPods(msg podsMsg, first, last int64) pods {
	p := pods{owner: msg.owner, all: msg.all, note: msg.note, from: first, to: last}
	for _, l := range p.all {
		if l.State != trace.Empty {
			p.from = min(p.from, l.Start)
			p.to = max(p.to, l.Start, l.End)
		}
	}
	return p
}

// quantiles describes how long the finished pods ran.
func (p *pods) quantiles() string {
	var ran []int64
	running, never := 0, 0
	for _, l := range p.all {
		switch l.State {
		case trace.Finished:
			ran = append(ran, l.End-l.Start)
		case trace.Running:
			running++
		default:
			never++
		}
	}
	text := words.Count(len(p.all), "pod")
	if len(ran) > 0 {
		slices.Sort(ran)
		at := func(q float64) string { return lasting(ran[int(q*float64(len(ran)-1)+0.5)]) }
		text += fmt.Sprintf(": %s finished, after %s at least, %s median, %s p90, %s p99, %s at most",
			words.Number(len(ran)), at(0), at(0.5), at(0.9), at(0.99), at(1))
	}
	if running > 0 {
		text += fmt.Sprintf("; %s running at the end", words.Number(running))
	}
	if never > 0 {
		text += fmt.Sprintf("; %s never started", words.Number(never))
	}
	return text
}

// podsHead is the number of lines above the bars.
const podsHead = 4

// view draws a bar for each pod.
func (p *pods) view(width, height int, look *look) []line {
	if p.note != "" {
		return fill([]line{of(roleTitle, " Pods"), {}, of(rolePlain, " "+p.note)}, height)
	}
	labels := 10
	if width >= 60 {
		labels = 33
	}
	bars := max(8, width-labels-2)
	dated := p.from/day != p.to/day
	lines := []line{
		of(roleTitle, " Pods of "+clean(p.owner.String())),
		of(rolePlain, " "+p.quantiles()),
		{},
		of(roleDim, strings.Repeat(" ", labels+1)+between(clockTime(p.from, dated), clockTime(p.to, dated), bars)),
	}
	p.pane.fit(len(p.all), height-len(lines))
	for i := p.pane.top; i < min(p.pane.top+p.pane.height, len(p.all)); i++ {
		lines = append(lines, p.bar(p.all[i], labels, bars, look))
	}
	return fill(lines, height)
}

// between puts one text at the left and one at the right.
func between(a, b string, width int) string {
	if cells(a)+cells(b)+1 > width {
		return a
	}
	return a + strings.Repeat(" ", width-cells(a)-cells(b)) + b
}

func (p *pods) bar(l timeline.PodLifecycle, labels, width int, look *look) line {
	g := &look.glyphs
	var out line
	var text string
	switch l.State {
	case trace.Finished:
		text = "ran " + lasting(l.End-l.Start)
	case trace.Running:
		text = "runs"
	default:
		text = "no start"
	}
	start := "        "
	if l.State != trace.Empty {
		start = clockTime(l.Start, false)
	}
	if labels > 10 {
		text = left(start, 9) + left(text, 14) + fmt.Sprintf("%8.8s", fmt.Sprintf("%016x", l.Hash))
	}
	out.add(rolePlain, " "+left(cut(text, labels-1, g.more), labels))
	if l.State == trace.Empty {
		out.add(roleDim, strings.Repeat(g.dot, width))
		return out
	}
	from, to, end := column(l.Start, p.from, p.to, width), width-1, g.on
	if l.State == trace.Finished {
		to, end = column(l.End, p.from, p.to, width), g.end
	}
	to = max(to, from)
	out.add(roleDim, strings.Repeat(g.dot, from))
	switch to - from {
	case 0:
		out.add(roleBar, g.run)
	default:
		out.add(roleBar, g.begin+strings.Repeat(g.run, to-from-1)+end)
	}
	out.add(roleDim, strings.Repeat(g.dot, width-1-to))
	return out
}

func (p *pods) update(c command) {
	if by, ok := steps(c, len(p.all), p.pane.height); ok {
		p.pane.scroll(by, len(p.all))
	}
}
