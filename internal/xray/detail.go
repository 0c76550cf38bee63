package xray

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
)

// mode is how the detail shows a manifest.
type mode uint8

const (
	modeDiff mode = iota
	modeWhole
	modeChanges
	modes
)

// detail is an object's manifest, or an event, beside or instead of the list.
type detail struct {
	file *timeline.File
	// start is the time of the first event of the trace.
	start int64
	// want is what it is to show, have what it shows. They differ while want is being read.
	want    target
	have    loadedMsg
	hasWant bool
	hasHave bool
	loading bool
	mode    mode
	// lines are the lines of the manifest or the event in this mode.
	lines []diffLine
	pane  pane
	// needle is the text of the search, in lower case. toMatch scrolls to it once the manifest is
	// read.
	needle  string
	toMatch bool
}

// ask changes what the detail shows. The command reads it. Only one command runs at a time: when it
// is done, the latest target is read.
func (d *detail) ask(t target) tea.Cmd {
	if d.hasWant && d.want == t {
		return nil
	}
	d.want, d.hasWant = t, true
	if d.loading {
		return nil
	}
	d.loading = true
	return load(d.file, t)
}

// loaded shows what was read.
func (d *detail) loaded(msg loadedMsg) tea.Cmd {
	if d.want != msg.target {
		return load(d.file, d.want)
	}
	d.loading = false
	d.have, d.hasHave = msg, true
	d.pane.leftmost = 0
	d.arrange()
	return nil
}

// setMode changes how a manifest is shown.
func (d *detail) setMode(m mode) {
	d.mode = m % modes
	d.toMatch = false
	d.arrange()
}

// arrange makes the lines and scrolls to those of interest.
func (d *detail) arrange() {
	o := &d.have.object
	switch {
	case d.have.err != nil:
		d.lines = nil
	case !d.have.target.isObject:
		d.lines = d.have.event.lines
	case d.mode == modeWhole:
		d.lines = all(' ', o.whole)
	case d.mode == modeChanges && o.hasBefore:
		d.lines = onlyChanges(o.diff)
	default:
		d.lines = o.diff
	}
	d.pane.top = d.firstOfInterest()
}

// firstOfInterest returns the line to scroll to: the first match of a search, or the first change.
func (d *detail) firstOfInterest() int {
	if !d.have.target.isObject {
		return 0
	}
	for i, l := range d.lines {
		if d.toMatch && d.needle != "" && strings.Contains(strings.ToLower(l.text), d.needle) {
			return max(0, i-d.pane.height/2)
		}
	}
	if d.have.target.place.Deleted {
		return 0
	}
	for i, l := range d.lines {
		if l.op == '+' || l.op == '-' {
			return max(0, i-unchangedAround)
		}
	}
	return 0
}

// update scrolls by a command. It reports whether the command was one for scrolling.
func (d *detail) update(c command) bool {
	if by, ok := steps(c, len(d.lines), d.pane.height); ok {
		d.pane.scroll(by, len(d.lines))
		return true
	}
	const sideways = 8
	switch {
	case c == cmdRight:
		d.pane.leftmost = min(d.pane.leftmost+sideways, max(0, d.widest()-sideways))
	case c == cmdLeft && d.pane.leftmost > 0:
		d.pane.leftmost = max(0, d.pane.leftmost-sideways)
	default:
		return false
	}
	return true
}

// widest returns the width of the widest visible line.
func (d *detail) widest() int {
	n := 0
	for i := d.pane.top; i < min(d.pane.top+d.pane.height, len(d.lines)); i++ {
		n = max(n, cells(d.lines[i].text))
	}
	return n
}
