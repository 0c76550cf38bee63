package xray

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"simkube.io/simkube/internal/timeline"
)

// Terminal is where the program runs.
type Terminal struct {
	// In is the source of keys. If it is nil, that is the standard input, or the terminal itself if
	// the standard input is not one.
	In io.Reader
	// Out receives the frames.
	Out io.Writer
}

// Run shows a trace until the user quits or ctx ends, and then returns the cause of ctx. When it
// returns, the terminal is restored and no goroutine runs.
func Run(ctx context.Context, file *timeline.File, terminal Terminal, opts Options) error {
	if err := opts.Query.Check(opts.Compile); err != nil {
		return err
	}
	inner, cancel := context.WithCancel(ctx)
	work := &inFlight{}
	profile := colorprofile.ASCII
	if opts.Colour {
		profile = colorprofile.ANSI
	}
	options := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithOutput(terminal.Out), tea.WithoutSignalHandler(), tea.WithColorProfile(profile),
	}
	if terminal.In != nil {
		options = append(options, tea.WithInput(terminal.In))
	}
	program := tea.NewProgram(tracked{Model: NewModel(inner, file, opts), work: work}, options...)
	if opts.Check != nil {
		work.enter()
		go func() {
			defer work.leave()
			// The index comes first because the program is useless without it. The check reports errors of
			// the file, too.
			_ = file.Wait(inner)
			checkInBackground(inner, opts.Check, program.Send)
		}()
	}
	_, err := program.Run()
	cancel()
	work.wait()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, tea.ErrProgramPanic):
		return errors.New("internal error: see the output above")
	case err != nil:
		return fmt.Errorf("draw on the terminal: %w", err)
	}
	return nil
}

// findingsPause is how long findings are collected before they are shown.
const findingsPause = 200 * time.Millisecond

// checkInBackground sends the findings of a check, at most one message per findingsPause.
func checkInBackground(ctx context.Context, check func(context.Context, func(Finding)) error, send func(tea.Msg)) {
	// A panic on this goroutine would not restore the terminal.
	defer func() {
		if r := recover(); r != nil {
			send(findingsMsg{done: true, err: fmt.Errorf("internal error in validation: %v", r)})
		}
	}()
	var more []Finding
	last := time.Now()
	err := check(ctx, func(f Finding) {
		more = append(more, f)
		if time.Since(last) > findingsPause {
			send(findingsMsg{more: more})
			more, last = nil, time.Now()
		}
	})
	if ctx.Err() == nil {
		send(findingsMsg{more: more, done: true, err: err})
	}
}

// tracked is a Model whose commands are awaited when the program has ended.
type tracked struct {
	Model
	work *inFlight
}

// Init implements tea.Model.
func (t tracked) Init() tea.Cmd { return t.work.cmd(t.Model.Init()) }

// Update implements tea.Model.
func (t tracked) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := t.update(msg)
	return t, t.work.cmd(cmd)
}

// inFlight counts the running commands.
type inFlight struct {
	mu    sync.Mutex
	ended bool
	group sync.WaitGroup
}

func (f *inFlight) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return false
	}
	f.group.Add(1)
	return true
}

func (f *inFlight) leave() { f.group.Done() }

// wait waits for the running commands and prevents new ones.
func (f *inFlight) wait() {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.group.Wait()
}

// cmd counts a command while it runs, and those that it returns.
func (f *inFlight) cmd(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() tea.Msg {
		if !f.enter() {
			return nil
		}
		defer f.leave()
		msg := cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = f.cmd(batch[i])
			}
		}
		return msg
	}
}
