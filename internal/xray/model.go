package xray

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/trace"
)

// Options are what Run and NewModel can be told. The zero value is useful.
type Options struct {
	// Name is what the user calls the trace.
	Name string
	// Colour allows colours, Unicode characters beyond ASCII where they are not text of the trace.
	Colour, Unicode bool
	// Compile makes a Match of a selector; nil: there are no selectors. What it gives is used by one goroutine only.
	Compile Compile
	// Query is the filter to begin with, From where to go to at the beginning: what can be typed after t.
	Query Query
	From  string
	// Check looks for what a replay may stumble over and reports it as it finds it; nil: nobody does. Run calls it, on a
	// goroutine of its own.
	Check func(ctx context.Context, report func(Finding)) error
}

// screen is what fills the middle of the terminal.
type screen uint8

const (
	screenMain screen = iota
	screenFilter
	screenPods
	screenFindings
	screenHelp
)

// Model is the whole program's state. It is a tea.Model: Update gives the next one.
type Model struct {
	ctx  context.Context
	file *timeline.File
	opts Options
	look *look

	width, height int
	progress      timeline.Progress
	// first and last are the times of the earliest and the latest event so far.
	first, last int64
	// activity are the numbers that the bars across the top show.
	activity []int

	screen screen
	// inDetail says that the keys are for the detail, not for the list.
	inDetail bool
	list     list
	detail   detail
	prompt   *prompt
	form     filterForm
	query    Query
	// hunt fills the filtered list; anchor is the event to which the cursor returns while it does, -1: none.
	hunt   *hunt
	anchor int
	// hunts counts them.
	hunts    int
	search   *search
	pods     pods
	findings findings
	help     pane
	// goal is where to go when the index has come there; empty: nowhere.
	goal string
	// message is shown at the bottom until the next key.
	message line
}

// NewModel makes the model of a trace. ctx ends what it does in the background.
func NewModel(ctx context.Context, file *timeline.File, opts Options) Model {
	m := Model{
		ctx: ctx, file: file, opts: opts, look: newLook(opts.Colour, opts.Unicode), list: newList(file),
		detail: detail{file: file}, anchor: -1, findings: findings{running: opts.Check != nil},
	}
	m.refresh()
	return m
}

// indexMsg says that the index has grown.
type indexMsg struct{}

// awaitIndex waits until it has.
func (m *Model) awaitIndex() tea.Cmd {
	if m.progress.Done {
		return nil
	}
	ctx, changed := m.ctx, m.file.Changed()
	return func() tea.Msg {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			return indexMsg{}
		}
	}
}

// findingsMsg has more of what validation found; done says that this is all.
type findingsMsg struct {
	more []Finding
	done bool
	err  error
}

// startMsg is the first of all.
type startMsg struct{}

// Init begins to wait for the index.
func (m Model) Init() tea.Cmd {
	return tea.Batch(m.awaitIndex(), func() tea.Msg { return startMsg{} })
}

// begin does what it was told to begin with.
func (m *Model) begin() tea.Cmd {
	var cmd tea.Cmd
	if !m.opts.Query.Empty() {
		var err error
		if cmd, err = m.setFilter(m.opts.Query.trimmed()); err != nil {
			m.say(roleError, err.Error())
		}
	}
	m.goal = m.opts.From
	return tea.Batch(cmd, m.towardsGoal())
}

// towardsGoal goes to where it was told to go to, as soon as the index has it.
func (m *Model) towardsGoal() tea.Cmd {
	if m.goal == "" {
		return nil
	}
	to, err := readDestination(m.goal, m.start(), m.first, m.last)
	if err == nil && m.laterGoal(m.goal, to) != "" {
		return nil
	}
	goal := m.goal
	m.goal = ""
	return m.goToTime(goal)
}

// refresh takes in how far the index is.
func (m *Model) refresh() {
	m.progress = m.file.Progress()
	m.first, m.last, _ = m.file.Span()
	m.detail.start = m.start()
	if m.width > 0 {
		m.activity = m.file.Activity(m.first, m.last+1, m.width)
	}
	if m.progress.Done && m.progress.Err != nil && len(m.message.spans) == 0 {
		err := m.progress.Err
		var format *trace.FormatError
		if errors.As(err, &format) {
			// Without the file's name, which stands at the top.
			err = format
		}
		m.message = of(roleError, clean(err.Error()))
	}
}

// start gives the time of the first event.
func (m *Model) start() int64 { return m.file.Info(0).Time }

// withDate tells whether times need one: when the trace goes over midnight.
func (m *Model) withDate() bool { return m.first/day != m.last/day }

// follow has the detail show what the cursor is on.
func (m *Model) follow() tea.Cmd {
	event, place, onObject, ok := m.list.current()
	switch {
	case !ok:
		m.detail.hasWant, m.detail.hasHave = false, false
		return nil
	case onObject:
		return m.detail.ask(objectTarget(place))
	}
	return m.detail.ask(target{event: event})
}

// cursor gives where the cursor is, for what is looked for from there.
func (m *Model) cursor() spot {
	event, place, onObject, _ := m.list.current()
	if onObject {
		return spotOf(place)
	}
	return spot{event: int32(event)}
}

func (m *Model) say(r role, text string) { m.message = of(r, clean(text)) }
