package xray

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/words"
)

// View draws the screen.
func (m Model) View() tea.View {
	content, cursor := m.frame()
	v := tea.NewView(content)
	v.AltScreen = true
	v.MouseMode = tea.MouseModeCellMotion
	v.Cursor = cursor
	return v
}

// frame draws the screen: exactly its number of lines, each with exactly its width. The cursor is
// nil if no text is being edited.
func (m *Model) frame() (string, *tea.Cursor) {
	if m.width <= 0 || m.height <= 0 {
		return "", nil
	}
	at := m.layout()
	var (
		out    []string
		cursor *tea.Cursor
	)
	put := func(l line) { out = append(out, l.draw(m.width, m.look)) }
	put(m.header())
	if at.bars >= 0 {
		put(of(roleBar, left(sparkline(m.activity, m.look.glyphs.bars), m.width)))
	}
	if at.axis >= 0 {
		put(m.axis())
	}
	middle, x, y := m.middle(at)
	out = append(out, middle...)
	if m.screen == screenFilter && y < at.height {
		cursor = tea.NewCursor(min(x, m.width-1), at.top+y)
	}
	if m.height > at.top {
		footer := m.footer()
		if m.prompt != nil {
			var x int
			footer, x = m.prompt.view(m.width)
			cursor = tea.NewCursor(x, m.height-1)
		}
		put(footer)
	}
	return strings.Join(out[:min(len(out), m.height)], "\n"), cursor
}

// middle draws the lines between the top and the last line. It returns the position of the cursor.
func (m *Model) middle(at layout) (out []string, x, y int) {
	var lines []line
	switch m.screen {
	case screenFilter:
		lines, x, y = m.form.view(m.width, at.height, m.file, m.look)
	case screenPods:
		lines = m.pods.view(m.width, at.height, m.look)
	case screenFindings:
		lines = m.findings.view(m.width, at.height, m.look)
	case screenHelp:
		all := helpLines(m.look)
		lines = fill(all[min(m.help.top, len(all)):], at.height)
	default:
		return m.main(at), 0, 0
	}
	for _, l := range fill(lines, at.height) {
		out = append(out, l.draw(m.width, m.look))
	}
	return out, x, y
}

// main draws the list and the detail.
func (m *Model) main(at layout) (out []string) {
	var lines, detail []line
	if at.split || !m.inDetail {
		lines = m.list.view(listStyle{
			width: at.listWidth, start: m.start(), last: m.last, withDate: m.withDate(), focused: !m.inDetail, look: m.look, findings: &m.findings,
		})
		if len(lines) == 0 {
			lines = []line{of(roleDim, m.emptyList())}
		}
		lines = fill(lines, at.height)
	}
	if at.split || m.inDetail {
		detail = m.detail.view(at.height, &m.findings, m.withDate())
	}
	separator := of(roleDim, m.look.glyphs.vertical+" ")
	if m.inDetail {
		separator = of(roleKey, m.look.glyphs.cursor+" ")
	}
	for i := range at.height {
		switch {
		case at.split:
			out = append(out, lines[i].draw(at.listWidth, m.look)+separator.draw(2, m.look)+detail[i].draw(at.detailWid, m.look))
		case m.inDetail:
			out = append(out, detail[i].draw(m.width, m.look))
		default:
			out = append(out, lines[i].draw(m.width, m.look))
		}
	}
	return out
}

func (m *Model) emptyList() string {
	switch {
	case m.list.found != nil && m.search != nil && !m.search.done:
		return " filtering..."
	case m.list.found != nil:
		return " the filter lets nothing through: f changes it, Esc takes it away"
	case !m.progress.Done:
		return " reading..."
	}
	return " there are no events in this trace"
}

// header returns the line with the name of the trace and the progress.
func (m *Model) header() line {
	l := of(roleTitle, " "+clean(m.opts.Name))
	events := words.Count(m.progress.Total, "event")
	if m.last >= m.first {
		events += ", " + lasting(m.last-m.first)
	}
	l.add(roleDim, "  "+events)
	status := m.status()
	room := m.width - 1 - cells(status)
	if status == "" {
		return l
	}
	if room < 12 {
		return of(roleWarning, " "+status)
	}
	out := line{}
	used := 0
	for _, s := range l.spans {
		text := cut(s.text, room-1-used, m.look.glyphs.more)
		used += cells(text)
		out.add(s.role, text)
	}
	out.add(rolePlain, strings.Repeat(" ", max(0, room-used)))
	out.add(roleWarning, status)
	return out
}

// status returns the line with what is running and what limits the list.
func (m *Model) status() string {
	var parts []string
	if m.textSearch != nil {
		parts = append(parts, m.textSearch.status(m.cursor(), m.progress.Total))
	}
	if m.list.found != nil {
		text := fmt.Sprintf("%s: %s", cut(clean(m.query.String()), max(12, m.width/3), m.look.glyphs.more), words.Count(len(m.list.found.found), "object"))
		if m.search != nil && (!m.search.done || m.search.upTo < m.progress.Total && m.search.err != nil) {
			text += fmt.Sprintf(" (%d%%)", share(m.search.upTo, m.progress.Total))
		}
		parts = append(parts, text)
	}
	switch {
	case m.progress.Err != nil:
		parts = append(parts, fmt.Sprintf("! unreadable after event %s", words.Number(m.progress.Events)))
	case !m.progress.Done:
		parts = append(parts, fmt.Sprintf("reading %d%%", share(int(m.progress.Bytes>>10), int(m.progress.Size>>10))))
	}
	if m.findings.running && !m.findings.done && m.screen == screenFindings {
		parts = append(parts, "validating")
	}
	return strings.Join(parts, "  ")
}

// axis returns the line under the bars: the cursor, and the times of start and end.
func (m *Model) axis() line {
	if m.list.events() == 0 {
		return line{}
	}
	event, _, _, _ := m.list.current()
	now := m.file.Info(event).Time
	at := column(now, m.first, m.last+1, m.width)
	first, last := clockTime(m.first, m.withDate()), clockTime(m.last, m.withDate())
	here := clockTime(now, false)
	// The label is at the right of its mark if it fits, otherwise at the left.
	label, from := m.look.glyphs.mark+" "+here, at
	if at+cells(label) > m.width {
		label = here + " " + m.look.glyphs.mark
		from = max(0, at+1-cells(label))
	}
	var l line
	if from > len(first) {
		l.add(roleDim, first)
	}
	l.add(rolePlain, strings.Repeat(" ", max(0, from-l.cells())))
	l.add(roleKey, label)
	if free := m.width - l.cells() - len(last); free > 0 {
		l.add(roleDim, strings.Repeat(" ", free)+last)
	}
	return l
}

func (m *Model) footer() line {
	if len(m.message.spans) > 0 {
		l := of(rolePlain, " ")
		l.spans = append(l.spans, m.message.spans...)
		return l
	}
	return helpBar(m.width, m.look)
}
