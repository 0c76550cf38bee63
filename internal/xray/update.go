package xray

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
)

// Update takes a message. What takes time is left to the command.
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

// arranged has everything fit the screen after a change.
func (m *Model) arranged(cmd tea.Cmd) tea.Cmd {
	m.arrange()
	return cmd
}

// found takes what a hunt found: for the filter, or for the search.
func (m *Model) found(msg foundMsg) tea.Cmd {
	switch {
	case m.hunt != nil && msg.number == m.hunt.number:
		for _, s := range msg.spots {
			m.list.found.add(s)
		}
		cmd := m.hunt.took(msg)
		if m.hunt.err != nil && m.hunt.ctx.Err() == nil {
			m.say(roleError, m.hunt.err.Error())
		}
		if m.anchor >= 0 && len(msg.spots) > 0 {
			m.list.goToEvent(m.anchor)
		}
		return tea.Batch(cmd, m.follow())
	case m.search != nil && msg.number == m.search.hunt.number:
		cmd := m.search.found(m.ctx, m.file, msg)
		if m.search.wish != 0 {
			return tea.Batch(cmd, m.goToMatch())
		}
		return cmd
	}
	return nil
}

// goToMatch goes where the search's wish is, if that is known already.
func (m *Model) goToMatch() tea.Cmd {
	s := m.search
	to, ok := s.next(s.wishFrom, s.wish)
	if !ok {
		if s.hunt.done {
			s.wish = 0
			if s.hunt.err != nil {
				m.say(roleError, s.hunt.err.Error())
			} else {
				m.say(roleWarning, fmt.Sprintf("nothing has %q in it", s.text))
			}
		}
		return nil
	}
	if c := to.compare(s.wishFrom); c == 0 {
		m.say(roleDim, "this is the only match")
	} else if c > 0 != (s.wish > 0) {
		m.say(roleDim, "on from the other end")
	}
	s.wish = 0
	return m.goTo(to.place(), true)
}

// goTo takes the cursor to an object.
func (m *Model) goTo(p timeline.Place, toMatch bool) tea.Cmd {
	m.anchor = -1
	m.screen = screenMain
	m.detail.toMatch = toMatch
	if !m.list.goToPlace(p) {
		m.say(roleWarning, "the list does not have it: the filter leaves it out")
	}
	return m.detail.ask(objectTarget(p))
}

// wantMatch makes a wish for the next match or the previous one.
func (m *Model) wantMatch(direction int) tea.Cmd {
	if m.search == nil {
		m.say(roleDim, "/ searches for text")
		return nil
	}
	m.search.wish, m.search.wishFrom = direction, m.cursor()
	return m.goToMatch()
}

// startSearch looks for a text from the cursor on.
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
	m.hunts++
	s, cmd, err := newSearch(m.ctx, m.file, filter, m.hunts, text, m.cursor())
	if err != nil {
		m.say(roleError, err.Error())
		return nil
	}
	m.search = s
	m.detail.needle = s.needle()
	return cmd
}

func (m *Model) stopSearch() {
	if m.search != nil {
		m.search.hunt.stop()
	}
	m.search = nil
	m.detail.needle, m.detail.toMatch = lowerNeedle(m.query.Text), false
}

// setFilter has the list show what satisfies a query. An error leaves it as it is.
func (m *Model) setFilter(q Query) (tea.Cmd, error) {
	filter, err := q.filter(m.opts.Compile)
	if err != nil {
		return nil, err
	}
	var (
		next  *hunt
		found *places
		cmd   tea.Cmd
	)
	if !q.Empty() {
		m.hunts++
		if next, err = newHunt(m.ctx, m.hunts, m.file, filter, 0); err != nil {
			return nil, err
		}
		found, cmd = &places{}, next.step()
	}
	event, _, _, ok := m.list.current()
	if m.hunt != nil {
		m.hunt.stop()
	}
	m.query, m.hunt, m.anchor = q, next, -1
	m.stopSearch()
	if ok && found != nil {
		m.anchor = event
	}
	m.list.setFound(found)
	return tea.Batch(cmd, m.follow()), nil
}
