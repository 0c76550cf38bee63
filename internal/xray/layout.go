package xray

// layout has the positions of everything on a terminal of one size.
type layout struct {
	// bars and axis are the lines of the sparkline and of its axis, or -1 if there is no room.
	bars, axis int
	// top is the first line of the middle, height its number of lines. The last line of the screen is
	// below it.
	top, height int
	// split reports whether list and detail are side by side. listWidth is the width of the list.
	split              bool
	listWidth          int
	detailX, detailWid int
}

const (
	splitFrom = 120 // columns, from which on list and detail stand side by side
	barsFrom  = 8   // lines
	axisFrom  = 12
)

func newLayout(width, height int) layout {
	l := layout{bars: -1, axis: -1, top: 1}
	if height >= barsFrom {
		l.bars, l.top = 1, 2
	}
	if height >= axisFrom {
		l.axis, l.top = 2, 3
	}
	l.height = max(0, height-l.top-1)
	l.listWidth, l.detailWid = width, width
	if width >= splitFrom {
		l.split = true
		l.listWidth = width * 9 / 20
		l.detailX = l.listWidth + 2
		l.detailWid = width - l.detailX
	}
	return l
}

func (m *Model) layout() layout { return newLayout(m.width, m.height) }

// arrange computes the layout and fits everything to it.
func (m *Model) arrange() {
	at := m.layout()
	if m.list.height != at.height {
		m.list.height = at.height
		m.list.center()
	}
	m.list.clamp()
	m.list.show()
	height := max(1, at.height-m.detail.headHeight(at.height, &m.findings))
	first := m.detail.pane.height == 0
	m.detail.pane.fit(len(m.detail.lines), height)
	if first && m.detail.hasHave {
		m.detail.arrange()
		m.detail.pane.fit(len(m.detail.lines), height)
	}
	m.pods.pane.fit(len(m.pods.all), at.height-podsHead)
	m.help.fit(len(helpLines(m.look)), at.height)
	m.findings.pane.fit(len(m.findings.all), m.findings.listHeight(at.height))
	m.findings.pane.show(len(m.findings.all))
}
