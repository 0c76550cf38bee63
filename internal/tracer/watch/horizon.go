package watch

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// lateness is how long after the API server acknowledged a change that change may still be on
	// its way here.
	lateness = 5 * time.Second
	// blocked is how long a Read has to take to show that nothing was there to be read when it
	// began.
	blocked = time.Millisecond
	// pause is how long nothing has to come of a watch that was behind, on a connection that is
	// alive, for it to have caught up.
	pause = time.Second
	// settle is after what time a Read that still waits was not woken by what came on its
	// connection.
	settle = 100 * time.Millisecond
)

// horizon keeps up to when everything that happened was handed on. What is not known for certain is
// taken to be earlier rather than later. It is safe for concurrent use.
//
// A complete list has everything that was acknowledged before it was asked for. A watch has
// everything that was acknowledged some time before a moment at which there was nothing left to
// read, which is certain when something else came on the same connection: a connection keeps the
// order of what is sent. A watch that is behind, since it was taken up again or was silent for
// long, first brings what happened meanwhile, and shows nothing by that.
type horizon struct {
	clock clock.PassiveClock

	mu sync.Mutex // guards the following
	// until is up to when everything was handed on.
	until time.Time
	// behind is since when what comes may be from before; zero: what comes happened just now.
	behind time.Time
	// link is the connection of the watch; nil if it is not known.
	link *link
	// waiting is since when a Read waits; zero: none does.
	waiting time.Time
	// heard is when something last came on the connection as it was seen at the time looked, during
	// the same Read.
	heard, looked time.Time
}

// listed notes that everything that was acknowledged before a time was handed on.
func (h *horizon) listed(asked time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance(asked)
}

// follow starts a watch, or what follows a streamed list: what happened since is on its way.
func (h *horizon) follow(l *link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.link, h.waiting, h.behind = l, time.Time{}, time.Time{}
	h.interrupted(h.clock.Now())
}

// interrupted has what comes taken for late, unless it was heard just now that all had come.
func (h *horizon) interrupted(now time.Time) {
	if h.isLate(now) {
		h.behind = now
	}
}

// wait starts a Read.
func (h *horizon) wait() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting, h.looked = h.clock.Now(), time.Time{}
}

// woken ends a Read.
func (h *horizon) woken() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.clock.Now()
	waited := now.Sub(h.waiting)
	if h.behind.IsZero() && waited >= blocked {
		h.advance(h.waiting.Add(-lateness))
	}
	if h.behind.IsZero() && waited >= lateness {
		h.interrupted(now)
	}
	h.waiting = time.Time{}
}

// bookmark notes that the API server said how far the watch is, behind all that happened until
// then: not long ago, unless that, too, was held back.
func (h *horizon) bookmark() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.clock.Now()
	if !h.behind.IsZero() && now.Sub(h.behind) < lateness {
		return
	}
	h.behind = time.Time{}
	h.advance(now.Add(-lateness))
}

// closed notes that the API server ended the watch when its time was over, whether or not it had
// caught up.
func (h *horizon) closed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.behind.IsZero() {
		h.advance(h.clock.Now().Add(-lateness))
	}
}

// late reports whether a watch that starts now is behind: what happened meanwhile comes first.
func (h *horizon) late() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.isLate(h.clock.Now())
}

func (h *horizon) isLate(now time.Time) bool { return now.Sub(h.until) > lateness+pause }

// get returns the time up to which everything was handed on.
func (h *horizon) get() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.waiting.IsZero() {
		h.look(h.clock.Now())
	}
	return h.until
}

// look draws conclusions from a Read that still waits.
func (h *horizon) look(now time.Time) {
	if h.behind.IsZero() && now.Sub(h.waiting) >= blocked {
		h.advance(h.waiting.Add(-lateness))
	}
	if h.link == nil {
		return
	}
	if h.looked.IsZero() {
		h.looked, h.heard = now, h.link.heard()
		return
	}
	if now.Sub(h.looked) < settle {
		return
	}
	if h.heard.Sub(h.waiting) >= pause {
		h.behind = time.Time{}
	}
	if h.behind.IsZero() && h.heard.After(h.waiting) {
		h.advance(h.heard.Add(-lateness))
	}
	h.looked, h.heard = now, h.link.heard()
}

func (h *horizon) advance(to time.Time) {
	if to.After(h.until) {
		h.until = to
	}
}
