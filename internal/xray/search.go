package xray

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
)

// hunt looks for objects in the background, some milliseconds at a time: each step is a command whose message
// has what it found, and the next one is given when that has come. So it costs no goroutine while nobody waits.
type hunt struct {
	number    int
	selection *timeline.Selection
	ctx       context.Context
	cancel    context.CancelFunc
	// upTo is the event it looks at next.
	upTo int
	done bool
	err  error
}

// foundMsg is what one step of a hunt found.
type foundMsg struct {
	number int
	spots  []spot
	upTo   int
	more   bool
	err    error
}

// newHunt begins at an event. Numbers tell hunts apart: what comes of one that was given up is dropped.
func newHunt(ctx context.Context, number int, file *timeline.File, filter timeline.Filter, from int) (*hunt, error) {
	selection, err := file.Select(filter, from)
	if err != nil {
		return nil, err
	}
	h := &hunt{number: number, selection: selection, upTo: from}
	h.ctx, h.cancel = context.WithCancel(ctx)
	return h, nil
}

const (
	// huntStep is for how long a step collects, so that there are not more messages than frames.
	huntStep = 40 * time.Millisecond
	// huntPause is how long to wait for the index where it has not come further.
	huntPause = 50 * time.Millisecond
)

// step looks on.
func (h *hunt) step() tea.Cmd {
	number, ctx, selection := h.number, h.ctx, h.selection
	return func() tea.Msg {
		msg := foundMsg{number: number}
		end := time.Now().Add(huntStep)
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
				case <-time.After(huntPause):
				}
				return msg
			}
		}
	}
}

// took notes how far a step came, and gives the next one.
func (h *hunt) took(msg foundMsg) tea.Cmd {
	h.upTo, h.err = msg.upTo, msg.err
	if msg.err != nil || !msg.more {
		h.stop()
		return nil
	}
	if h.done {
		return nil
	}
	return h.step()
}

// stop ends it; what it has found stays.
func (h *hunt) stop() {
	h.done = true
	h.cancel()
}

// share gives how much is done of what is not done yet, in percent.
func share(done, total int) int {
	const almost = 99
	if total <= 0 {
		return almost
	}
	return min(almost, done*100/total)
}
