package xray

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
)

// Update handles a message. Commands do what takes time.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.update(msg)
	return m, cmd
}

func (m *Model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = max(0, msg.Width), max(0, msg.Height)
		m.refresh()
		m.arrange()
		return m.follow()
	case tea.KeyPressMsg:
		m.message = line{}
		return m.arranged(m.key(msg))
	case tea.PasteMsg:
		switch {
		case m.prompt != nil:
			m.prompt.in.insert(msg.Content)
		case m.screen == screenFilter:
			m.form.fields[m.form.at].insert(msg.Content)
		}
	case tea.MouseClickMsg:
		m.message = line{}
		return m.arranged(m.click(msg.X, msg.Y))
	case tea.MouseWheelMsg:
		return m.arranged(m.wheel(msg.X, msg.Button))
	case startMsg:
		return m.arranged(m.begin())
	case indexMsg:
		m.refresh()
		m.arrange()
		var pods tea.Cmd
		if m.progress.Done && m.screen == screenPods && m.pods.note != "" {
			pods = loadPods(m.file, m.detail.want.place)
		}
		return tea.Batch(m.awaitIndex(), m.follow(), m.arranged(m.towardsGoal()), pods)
	case loadedMsg:
		cmd := m.detail.loaded(msg)
		m.arrange()
		return cmd
	case foundMsg:
		return m.arranged(m.found(msg))
	case podsMsg:
		m.pods = newPods(msg, m.first, m.last)
		m.arrange()
	case findingsMsg:
		m.findings.add(msg.more)
		m.findings.done, m.findings.err = msg.done, msg.err
		m.arrange()
	}
	return nil
}

// arranged fits everything to the screen after a change.
func (m *Model) arranged(cmd tea.Cmd) tea.Cmd {
	m.arrange()
	return cmd
}

// found handles the results of a search, for the filter or for the text.
func (m *Model) found(msg foundMsg) tea.Cmd {
	switch {
	case m.search != nil && msg.number == m.search.number:
		for _, s := range msg.spots {
			m.list.found.add(s)
		}
		cmd := m.search.took(msg)
		if m.search.err != nil && m.search.ctx.Err() == nil {
			m.say(roleError, m.search.err.Error())
		}
		if m.anchor >= 0 && len(msg.spots) > 0 {
			m.list.goToEvent(m.anchor)
		}
		return tea.Batch(cmd, m.follow())
	case m.textSearch != nil && msg.number == m.textSearch.search.number:
		cmd := m.textSearch.found(m.ctx, m.file, msg)
		if m.textSearch.target != 0 {
			return tea.Batch(cmd, m.goToMatch())
		}
		return cmd
	}
	return nil
}

// goToMatch goes to the match that the text search was asked for, if it is known.
func (m *Model) goToMatch() tea.Cmd {
	s := m.textSearch
	to, ok := s.next(s.targetFrom, s.target)
	if !ok {
		if s.search.done {
			s.target = 0
			if s.search.err != nil {
				m.say(roleError, s.search.err.Error())
			} else {
				m.say(roleWarning, fmt.Sprintf("no manifest contains %q", s.text))
			}
		}
		return nil
	}
	if c := to.compare(s.targetFrom); c == 0 {
		m.say(roleDim, "this is the only match")
	} else if c > 0 != (s.target > 0) {
		m.say(roleDim, "continued at the other end")
	}
	s.target = 0
	return m.goTo(to.place(), true)
}

// goTo moves the cursor to an object.
func (m *Model) goTo(p timeline.Place, toMatch bool) tea.Cmd {
	m.anchor = -1
	m.screen = screenMain
	m.detail.toMatch = toMatch
	if !m.list.goToPlace(p) {
		m.say(roleWarning, "it is not in the list because of the filter")
	}
	return m.detail.ask(objectTarget(p))
}

// wantMatch asks for the next match or the previous one.
func (m *Model) wantMatch(direction int) tea.Cmd {
	if m.textSearch == nil {
		m.say(roleDim, "/ searches for text")
		return nil
	}
	m.textSearch.target, m.textSearch.targetFrom = direction, m.cursor()
	return m.goToMatch()
}

// startSearch searches for a text from the cursor on.
func (m *Model) startSearch(text string) tea.Cmd {
	m.stopSearch()
	if text == "" {
		return nil
	}
	filter, err := m.query.filter(m.opts.Compile)
	if err != nil {
		m.say(roleError, err.Error())
		return nil
	}
	m.searches++
	s, cmd, err := newTextSearch(m.ctx, m.file, filter, m.searches, text, m.cursor())
	if err != nil {
		m.say(roleError, err.Error())
		return nil
	}
	m.textSearch = s
	m.detail.needle = s.needle()
	return cmd
}

func (m *Model) stopSearch() {
	if m.textSearch != nil {
		m.textSearch.search.stop()
	}
	m.textSearch = nil
	m.detail.needle, m.detail.toMatch = lowerNeedle(m.query.Text), false
}

// setFilter lists what matches a query. If it returns an error, the list is unchanged.
func (m *Model) setFilter(q Query) (tea.Cmd, error) {
	filter, err := q.filter(m.opts.Compile)
	if err != nil {
		return nil, err
	}
	var (
		next  *search
		found *places
		cmd   tea.Cmd
	)
	if !q.Empty() {
		m.searches++
		if next, err = newSearch(m.ctx, m.searches, m.file, filter, 0); err != nil {
			return nil, err
		}
		found, cmd = &places{}, next.step()
	}
	event, _, _, ok := m.list.current()
	if m.search != nil {
		m.search.stop()
	}
	m.query, m.search, m.anchor = q, next, -1
	m.stopSearch()
	if ok && found != nil {
		m.anchor = event
	}
	m.list.setFound(found)
	return tea.Batch(cmd, m.follow()), nil
}
