package xray

import (
	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
)

// wheelLines is how many lines one step of the wheel scrolls.
const wheelLines = 3

// click handles a click: on the bars it goes to that time, on a row it moves the cursor there, on
// the row of the cursor it opens that.
func (m *Model) click(x, y int) tea.Cmd {
	at := m.layout()
	switch {
	case m.prompt != nil:
		return nil
	case y == at.bars || y == at.axis && at.axis >= 0:
		if m.list.events() == 0 {
			return nil
		}
		m.screen, m.anchor = screenMain, -1
		m.list.goToEvent(m.file.At(timeAt(x, m.first, m.last+1, m.width)))
		return m.follow()
	case y < at.top || y >= at.top+at.height:
		return nil
	}
	y -= at.top
	switch m.screen {
	case screenFilter:
		if n := y - firstField; n >= 0 && n < len(m.form.fields) {
			m.form.at = n
		}
	case screenFindings:
		if i := y - 2 + m.findings.pane.top; y >= 2 && y-2 < m.findings.pane.height && i < len(m.findings.all) {
			if i == m.findings.pane.at {
				return m.goToFinding()
			}
			m.findings.pane.at = i
		}
	case screenMain:
		return m.clickMain(x, y, at)
	}
	return nil
}

func (m *Model) clickMain(x, y int, at layout) tea.Cmd {
	if at.split && x >= at.listWidth || !at.split && m.inDetail {
		m.inDetail = true
		return nil
	}
	m.inDetail, m.anchor = false, -1
	r, ok := m.list.rowAt(y)
	if !ok {
		return nil
	}
	if r != m.list.at {
		m.list.at = r
		return m.follow()
	}
	if r.object >= 0 {
		m.inDetail = true
		return nil
	}
	m.list.setOpen(!m.list.isOpen())
	return m.follow()
}

// wheel scrolls the part under the mouse.
func (m *Model) wheel(x int, button tea.MouseButton) tea.Cmd {
	by := wheelLines
	switch button {
	case tea.MouseWheelUp:
		by = -by
	case tea.MouseWheelDown:
	default:
		return nil
	}
	at := m.layout()
	switch m.screen {
	case screenHelp:
		m.help.scroll(by, len(helpLines(m.look)))
	case screenPods:
		m.pods.pane.scroll(by, len(m.pods.all))
	case screenFindings:
		m.findings.pane.move(by, len(m.findings.all))
	case screenMain:
		if at.split && x >= at.listWidth || !at.split && m.inDetail {
			m.detail.pane.scroll(by, len(m.detail.lines))
			return nil
		}
		m.anchor = -1
		m.list.scroll(by)
		return m.follow()
	}
	return nil
}

// moveInFindings handles a command in the list of findings.
func (m *Model) moveInFindings(c command) tea.Cmd {
	f := &m.findings
	if by, ok := steps(c, len(f.all), f.pane.height); ok {
		f.pane.move(by, len(f.all))
		return nil
	}
	if c == cmdOpen || c == cmdRight || c == cmdToggle {
		return m.goToFinding()
	}
	return nil
}

// goToFinding goes to the object or event of the selected finding.
func (m *Model) goToFinding() tea.Cmd {
	f := &m.findings
	if f.pane.at >= len(f.all) {
		return nil
	}
	x := f.all[f.pane.at]
	if p, ok := placeOf(m.file, x.Event, x.Object); ok {
		return m.goTo(p, false)
	}
	m.screen, m.inDetail, m.anchor = screenMain, false, -1
	m.list.goToEvent(x.Event)
	return m.follow()
}

// placeOf returns the place of an object in an event.
func placeOf(file *timeline.File, event int, key timeline.Key) (timeline.Place, bool) {
	for _, info := range file.Objects(event) {
		if file.Object(info.Object) == key {
			return info.Place, true
		}
	}
	return timeline.Place{}, false
}
