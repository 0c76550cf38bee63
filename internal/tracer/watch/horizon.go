package watch

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// lateness is the maximum time between the acknowledgement of a change by the API server and its
	// arrival here.
	lateness = 5 * time.Second
	// blocked is the duration of a Read from which it proves that no data was available when it began.
	blocked = time.Millisecond
	// pause is for how long no data has to arrive for a watch that is behind, on a connection that is
	// alive, before it counts as caught up.
	pause = time.Second
	// settle is the time after which a Read that still waits was not woken up by the data that last
	// arrived on its connection.
	settle = 100 * time.Millisecond
)

// horizon computes the time until which every change was passed on. If the time is not certain, an
// earlier one is used. It is safe for concurrent use.
//
// A complete list has all changes that were acknowledged before it was requested. A watch has all
// changes that were acknowledged some time before there was nothing left to read. That is certain
// if other data arrived on the same connection, since a connection keeps the order of the data. A
// watch that is behind, because it was resumed or was silent for long, first brings earlier
// changes, and proves nothing by that.
type horizon struct {
	clock clock.PassiveClock

	mu sync.Mutex // guards the following
	// until is the time until which every change was passed on.
	until time.Time
	// behind is since when the watch may bring earlier changes; zero if it has caught up.
	behind time.Time
	// link is the connection of the watch; nil if it is not known.
	link *link
	// waiting is since when a Read waits; zero if none does.
	waiting time.Time
	// heard is when data last arrived on the connection as of the time looked, during the same Read.
	heard, looked time.Time
}

// listed records that all changes that were acknowledged before a time were passed on.
func (h *horizon) listed(asked time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance(asked)
}

// follow starts a watch, or the part of it that follows a streamed list.
func (h *horizon) follow(l *link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.link, h.waiting, h.behind = l, time.Time{}, time.Time{}
	h.interrupted(h.clock.Now())
}

// interrupted marks the watch as behind, unless it had caught up just before.
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

// bookmark records that the API server sent a bookmark, which follows all changes until a recent
// time, unless the bookmark was delayed, too.
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

// closed records that the API server ended the watch because its time was over, which it does
// whether or not the watch has caught up.
func (h *horizon) closed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.behind.IsZero() {
		h.advance(h.clock.Now().Add(-lateness))
	}
}

// late reports whether a watch that starts now is behind, that is, will first bring earlier
// changes.
func (h *horizon) late() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.isLate(h.clock.Now())
}

func (h *horizon) isLate(now time.Time) bool { return now.Sub(h.until) > lateness+pause }

// get returns the time until which every change was passed on.
func (h *horizon) get() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.waiting.IsZero() {
		h.look(h.clock.Now())
	}
	return h.until
}

// look updates the horizon during a Read that still waits.
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
