package xray

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
)

// search finds objects in the background, some milliseconds at a time. Each step is a command whose
// message has the results. The next step is issued when that message arrives, so an idle search
// needs no goroutine.
type search struct {
	number    int
	selection *timeline.Selection
	ctx       context.Context
	cancel    context.CancelFunc
	// upTo is the next event to be searched.
	upTo int
	done bool
	err  error
}

// foundMsg has the results of one step of a search.
type foundMsg struct {
	number int
	spots  []spot
	upTo   int
	more   bool
	err    error
}

// newSearch starts a search at an event. Its number identifies it: results of a cancelled search
// are dropped.
func newSearch(ctx context.Context, number int, file *timeline.File, filter timeline.Filter, from int) (*search, error) {
	selection, err := file.Select(filter, from)
	if err != nil {
		return nil, err
	}
	s := &search{number: number, selection: selection, upTo: from}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s, nil
}

const (
	// searchStep is how long a step collects results, so that there are not more messages than frames.
	searchStep = 40 * time.Millisecond
	// searchPause is how long a step waits for the index to grow.
	searchPause = 50 * time.Millisecond
)

// step returns the command of the next step.
func (s *search) step() tea.Cmd {
	number, ctx, selection := s.number, s.ctx, s.selection
	return func() tea.Msg {
		msg := foundMsg{number: number}
		end := time.Now().Add(searchStep)
		for {
			at := selection.Position()
			found, more, err := selection.Next(ctx)
			for _, p := range found {
				msg.spots = append(msg.spots, spotOf(p))
			}
			msg.more, msg.err, msg.upTo = more, err, selection.Position()
			if !more || err != nil || time.Now().After(end) {
				return msg
			}
			if len(found) == 0 && msg.upTo == at {
				select {
				case <-ctx.Done():
				case <-time.After(searchPause):
				}
				return msg
			}
		}
	}
}

// took records the progress of a step and returns the next one.
func (s *search) took(msg foundMsg) tea.Cmd {
	s.upTo, s.err = msg.upTo, msg.err
	if msg.err != nil || !msg.more {
		s.stop()
		return nil
	}
	if s.done {
		return nil
	}
	return s.step()
}

// stop ends the search. Its results stay.
func (s *search) stop() {
	s.done = true
	s.cancel()
}

// share returns done of total in percent, at most 99.
func share(done, total int) int {
	const almost = 99
	if total <= 0 {
		return almost
	}
	return min(almost, done*100/total)
}
