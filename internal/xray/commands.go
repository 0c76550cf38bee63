package xray

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
)

// key handles a key: as text for what is being edited, or as a command.
func (m *Model) key(msg tea.KeyPressMsg) tea.Cmd {
	if msg.String() == "ctrl+c" {
		return tea.Quit
	}
	switch {
	case m.prompt != nil:
		return m.promptKey(msg)
	case m.screen == screenFilter:
		return m.filterKey(msg)
	}
	c := commandOf(msg)
	switch c {
	case cmdNone:
		return nil
	case cmdQuit:
		return tea.Quit
	case cmdSuspend:
		return tea.Suspend
	case cmdRedraw:
		return tea.ClearScreen
	case cmdBack:
		return m.back()
	case cmdHelp:
		m.turnTo(screenHelp)
	case cmdFindings:
		m.turnTo(screenFindings)
	case cmdPods:
		return m.showPods()
	case cmdFilter:
		m.form = newFilterForm(m.query)
		m.screen = screenFilter
	case cmdSearch:
		m.prompt = &prompt{asks: promptSearch}
	case cmdTime:
		m.prompt = &prompt{asks: promptTime}
	case cmdNextMatch:
		return m.wantMatch(1)
	case cmdPreviousMatch:
		return m.wantMatch(-1)
	case cmdMode:
		m.detail.setMode(m.detail.mode + 1)
	case cmdPreviousVersion:
		return m.version(m.file.Previous, "no version before this one")
	case cmdNextVersion:
		return m.version(m.file.Next, "no version after this one")
	default:
		return m.move(c)
	}
	return nil
}

// turnTo shows a screen, or the main one if it is shown already.
func (m *Model) turnTo(s screen) {
	if m.screen == s {
		s = screenMain
	}
	m.screen = s
}

// move handles a command for the part with the cursor.
func (m *Model) move(c command) tea.Cmd {
	switch m.screen {
	case screenHelp:
		if by, ok := steps(c, len(helpLines(m.look)), m.help.height); ok {
			m.help.scroll(by, len(helpLines(m.look)))
		}
		return nil
	case screenPods:
		m.pods.update(c)
		return nil
	case screenFindings:
		return m.moveInFindings(c)
	}
	if m.inDetail {
		return m.moveInDetail(c)
	}
	return m.moveInList(c)
}

func (m *Model) moveInDetail(c command) tea.Cmd {
	if m.detail.update(c) {
		return nil
	}
	switch c {
	case cmdLeft, cmdOther:
		m.inDetail = false
		return m.follow()
	}
	return nil
}

func (m *Model) moveInList(c command) tea.Cmd {
	m.anchor, m.goal, m.detail.toMatch = -1, "", false
	l := &m.list
	switch c {
	case cmdFirst:
		l.first()
	case cmdLast:
		l.last()
	case cmdToggle:
		l.setOpen(!l.isOpen())
	case cmdOther:
		m.inDetail = true
	case cmdOpen:
		if _, _, onObject, ok := l.current(); ok && !onObject && !l.isOpen() {
			l.setOpen(true)
		} else {
			m.inDetail = true
		}
	case cmdRight:
		switch {
		case l.at.object >= 0:
			m.inDetail = true
		case !l.isOpen():
			l.setOpen(true)
		case l.shown(l.at.nth) > 0:
			l.move(1)
		}
	case cmdLeft:
		if l.at.object >= 0 {
			l.at.object = -1
			l.show()
		} else {
			l.setOpen(false)
		}
	default:
		if by, ok := steps(c, 0, l.height); ok {
			l.move(by)
		}
	}
	return m.follow()
}

// back leaves a screen or ends what is running, one thing at a time.
func (m *Model) back() tea.Cmd {
	switch {
	case m.screen != screenMain:
		m.screen = screenMain
	case m.textSearch != nil && !m.textSearch.search.done:
		m.stopSearch()
		m.say(roleDim, "search stopped")
	case m.inDetail:
		m.inDetail = false
		return m.follow()
	case m.search != nil && !m.search.done:
		m.search.stop()
		m.say(roleDim, "filter stopped: the list has the results so far; Esc removes the filter")
	case m.textSearch != nil:
		m.stopSearch()
	case m.list.found != nil:
		cmd, err := m.setFilter(Query{})
		if err != nil {
			m.say(roleError, err.Error())
		}
		return cmd
	default:
		m.say(roleDim, "q quits")
	}
	return nil
}

// version goes to another version of the object that is shown.
func (m *Model) version(neighbour func(timeline.Place) (timeline.Place, bool), none string) tea.Cmd {
	if m.screen != screenMain {
		return nil
	}
	if !m.detail.hasWant || !m.detail.want.isObject {
		m.say(roleDim, "only objects have versions: Enter shows those of the event")
		return nil
	}
	p, ok := neighbour(m.detail.want.place)
	if !ok {
		m.say(roleDim, none)
		return nil
	}
	return m.goTo(p, false)
}

func (m *Model) showPods() tea.Cmd {
	if m.screen == screenPods {
		m.screen = screenMain
		return nil
	}
	if m.screen != screenMain {
		return nil
	}
	if !m.detail.hasWant || !m.detail.want.isObject {
		m.say(roleDim, "only objects have pods: Enter shows those of the event")
		return nil
	}
	m.screen = screenPods
	m.pods = pods{note: "reading..."}
	return loadPods(m.file, m.detail.want.place)
}

func (m *Model) filterKey(msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "esc":
		m.screen = screenMain
	case "enter":
		cmd, err := m.setFilter(m.form.query())
		if err != nil {
			m.form.err = err.Error()
			return nil
		}
		m.screen, m.inDetail = screenMain, false
		return cmd
	default:
		m.form.update(msg)
	}
	return nil
}

func (m *Model) promptKey(msg tea.KeyPressMsg) tea.Cmd {
	p := m.prompt
	switch msg.String() {
	case "esc":
		m.prompt = nil
	case "enter":
		m.prompt = nil
		if p.asks == promptSearch {
			return m.startSearch(p.in.value())
		}
		return m.goToTime(p.in.value())
	case "backspace":
		if len(p.in.text) == 0 {
			m.prompt = nil
			return nil
		}
		fallthrough
	default:
		// Earlier models keep their own.
		next := *p
		next.in.update(msg)
		m.prompt = &next
	}
	return nil
}

func (m *Model) goToTime(text string) tea.Cmd {
	if text == "" {
		return nil
	}
	event, _, _, _ := m.list.current()
	to, err := readDestination(text, m.file.Info(event).Time, m.first, m.last)
	if err != nil {
		m.say(roleError, fmt.Sprintf("invalid time %q: %v", text, err))
		return nil
	}
	m.screen, m.inDetail, m.anchor, m.detail.toMatch = screenMain, false, -1, false
	if later := m.laterGoal(text, to); later != "" {
		m.goal = later
		m.list.last()
		m.say(roleDim, "the trace is still being read; the cursor moves there later")
		return m.follow()
	}
	if m.search != nil && !m.search.done {
		// The list may not have reached it yet.
		m.anchor = to.eventIn(m.file)
		m.list.goToEvent(m.anchor)
		return m.follow()
	}
	if !m.list.goToEvent(to.eventIn(m.file)) {
		m.say(roleDim, "there is no later event: this is the last one")
	}
	return m.follow()
}

// laterGoal returns where to go once it is indexed, or the empty string if that is possible now.
func (m *Model) laterGoal(text string, to destination) string {
	switch {
	case m.progress.Done:
		return ""
	case strings.HasPrefix(strings.TrimSpace(text), "-"):
		// The end is not known yet.
		return text
	case to.eventIn(m.file) < m.file.Len():
		return ""
	case to.isEvent:
		return text
	}
	// A time of day is on the cursor's current day.
	return fmt.Sprint(to.time)
}
