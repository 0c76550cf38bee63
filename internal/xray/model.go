package xray

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/trace"
)

// Options are the options of Run and NewModel. The zero value is useful.
type Options struct {
	// Name is how the user named the trace.
	Name string
	// Colour allows colours. Unicode allows characters outside ASCII besides the text of the trace.
	Colour, Unicode bool
	// Compile compiles a selector; nil if there are no selectors. Its result is used by one goroutine
	// only.
	Compile Compile
	// Query is the initial filter, From the initial position, as it can be typed after t.
	Query Query
	From  string
	// Check finds problems for a replay and reports them as it finds them; it may be nil. Run calls it
	// on a goroutine of its own.
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

// Model is the state of the program. It is a tea.Model: Update returns the next one.
type Model struct {
	ctx  context.Context
	file *timeline.File
	opts Options
	look *look

	width, height int
	progress      timeline.Progress
	// first and last are the times of the earliest and the latest event so far.
	first, last int64
	// activity are the numbers of the sparkline.
	activity []int

	screen screen
	// inDetail reports whether keys are for the detail instead of the list.
	inDetail bool
	list     list
	detail   detail
	prompt   *prompt
	form     filterForm
	query    Query
	// search fills the filtered list. anchor is the event to which the cursor returns meanwhile, or
	// -1.
	search *search
	anchor int
	// searches is the number of searches so far, which identifies them.
	searches   int
	textSearch *textSearch
	pods       pods
	findings   findings
	help       pane
	// goal is where to go once it is indexed, or empty.
	goal string
	// message is shown at the bottom until the next key.
	message line
}

// NewModel returns the model of a trace. Its background work ends with ctx.
func NewModel(ctx context.Context, file *timeline.File, opts Options) Model {
	m := Model{
		ctx: ctx, file: file, opts: opts, look: newLook(opts.Colour, opts.Unicode), list: newList(file),
		detail: detail{file: file}, anchor: -1, findings: findings{running: opts.Check != nil},
	}
	m.refresh()
	return m
}

// indexMsg is sent when the index has grown.
type indexMsg struct{}

// awaitIndex waits until the index has grown.
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

// findingsMsg has more findings. done reports whether it has the last ones.
type findingsMsg struct {
	more []Finding
	done bool
	err  error
}

// startMsg is the first message.
type startMsg struct{}

// Init starts to wait for the index.
func (m Model) Init() tea.Cmd {
	return tea.Batch(m.awaitIndex(), func() tea.Msg { return startMsg{} })
}

// begin applies the initial filter and position.
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

// towardsGoal goes to the goal once it is indexed.
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

// refresh reads the progress of the index.
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
			// Without the file's name, which is in the header.
			err = format
		}
		m.message = of(roleError, clean(err.Error()))
	}
}

// start returns the time of the first event.
func (m *Model) start() int64 { return m.file.Info(0).Time }

// withDate reports whether times need a date, because the trace spans several days.
func (m *Model) withDate() bool { return m.first/day != m.last/day }

// follow shows the object or event at the cursor in the detail.
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

// cursor returns the position of the cursor, from which searches start.
func (m *Model) cursor() spot {
	event, place, onObject, _ := m.list.current()
	if onObject {
		return spotOf(place)
	}
	return spot{event: int32(event)}
}

func (m *Model) say(r role, text string) { m.message = of(r, clean(text)) }
