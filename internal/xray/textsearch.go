package xray

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// textSearch searches all manifests for a text, from the cursor to the end of the trace and then
// from its beginning to the cursor, so that it finds the next match first.
type textSearch struct {
	text   string
	from   int
	filter timeline.Filter
	// ahead are the matches from the first event searched, behind those before it.
	ahead, behind *places
	search        *search
	wrapped       bool
	// target is where to go once there is a match: 1 to the next one, -1 to the previous one, 0
	// nowhere.
	target int
	// targetFrom is where the cursor was then.
	targetFrom spot
}

func newTextSearch(ctx context.Context, file *timeline.File, filter timeline.Filter, number int, text string, from spot) (*textSearch, tea.Cmd, error) {
	s := &textSearch{text: text, from: int(from.event), ahead: &places{}, behind: &places{}, target: 1, targetFrom: from}
	s.filter = withText(filter, text)
	var err error
	if s.search, err = newSearch(ctx, number, file, s.filter, s.from); err != nil {
		return nil, nil, err
	}
	return s, s.search.step(), nil
}

// needle returns the text to highlight.
func (s *textSearch) needle() string { return lowerNeedle(s.text) }

func lowerNeedle(s string) string { return strings.ToLower(clean(s)) }

// withText returns a filter for what another one selects and that contains a text.
func withText(f timeline.Filter, text string) timeline.Filter {
	if f.Text == "" {
		f.Text = text
		return f
	}
	// The selection searches for one text itself. The other one is searched for in its results.
	first, match := strings.ToLower(f.Text), f.Match
	f.Text = text
	f.Match = func(ts int64, obj *trace.Object) (bool, error) {
		lines, err := manifest(obj)
		switch {
		case err != nil:
			return false, err
		case !strings.Contains(strings.ToLower(strings.Join(lines, "\n")), first):
			return false, nil
		case match == nil:
			return true, nil
		}
		return match(ts, obj)
	}
	return f
}

// found handles the results of a step.
func (s *textSearch) found(ctx context.Context, file *timeline.File, msg foundMsg) tea.Cmd {
	to := s.ahead
	if s.wrapped {
		to = s.behind
	}
	for _, x := range msg.spots {
		if s.wrapped && int(x.event) >= s.from {
			s.search.stop()
			return nil
		}
		to.add(x)
	}
	if s.wrapped && msg.upTo >= s.from {
		s.search.stop()
		return nil
	}
	cmd := s.search.took(msg)
	if cmd != nil || s.search.err != nil || s.wrapped || s.from == 0 || msg.more {
		return cmd
	}
	s.wrapped = true
	again, err := newSearch(ctx, s.search.number, file, s.filter, 0)
	if err != nil {
		return nil
	}
	s.search = again
	return again.step()
}

// next returns the nearest match in a direction, wrapping around the ends of the trace. ok is false
// if an unknown match could be nearer: the search has to go on.
func (s *textSearch) next(from spot, direction int) (spot, bool) {
	if direction > 0 {
		if x, ok := s.ahead.after(from); ok && int(from.event) >= s.from {
			return x, true
		}
		if int(from.event) >= s.from && !s.wrapped && !s.search.done {
			return spot{}, false
		}
		if int(from.event) < s.from {
			if x, ok := s.behind.after(from); ok {
				return x, true
			}
			if !s.search.done {
				return spot{}, false
			}
			return firstOf(s.ahead, s.behind)
		}
		if x, ok := firstOf(s.behind); ok || !s.search.done {
			return x, ok
		}
		return firstOf(s.ahead)
	}
	if int(from.event) >= s.from {
		if x, ok := s.ahead.ahead(from); ok {
			return x, true
		}
		from = spot{int32(s.from), 0}
	}
	if !s.search.done {
		return spot{}, false
	}
	if x, ok := s.behind.ahead(from); ok {
		return x, true
	}
	return lastOf(s.ahead, s.behind)
}

func firstOf(all ...*places) (spot, bool) {
	for _, p := range all {
		if len(p.found) > 0 {
			return p.found[0], true
		}
	}
	return spot{}, false
}

func lastOf(all ...*places) (spot, bool) {
	for _, p := range all {
		if n := len(p.found); n > 0 {
			return p.found[n-1], true
		}
	}
	return spot{}, false
}

// count returns the number of matches so far and the number of the one at a spot, from 1, or 0 if
// there is none.
func (s *textSearch) count(at spot) (nth, n int) {
	before := func(p *places) int {
		n := 0
		for lo, hi := 0, len(p.found); lo < hi; {
			mid := (lo + hi) / 2
			if p.found[mid].compare(at) <= 0 {
				n, lo = mid+1, mid+1
			} else {
				hi = mid
			}
		}
		return n
	}
	n = len(s.ahead.found) + len(s.behind.found)
	nth = before(s.behind)
	if k := before(s.ahead); k > 0 {
		nth = len(s.behind.found) + k
	}
	return nth, n
}

// status returns the state of the search.
func (s *textSearch) status(at spot, total int) string {
	nth, n := s.count(at)
	text := fmt.Sprintf("/%s: %s", clean(s.text), words.Count(n, "match"))
	if n != 1 {
		text = fmt.Sprintf("/%s: %s matches", clean(s.text), words.Number(n))
	}
	if n > 0 && nth > 0 {
		text = fmt.Sprintf("/%s: match %s of %s", clean(s.text), words.Number(nth), words.Number(n))
	}
	switch {
	case s.search.err != nil && s.search.ctx.Err() == nil:
		text += ", " + clean(s.search.err.Error())
	case !s.search.done:
		done := s.search.upTo - s.from
		if s.wrapped {
			done = total - s.from + s.search.upTo
		}
		text += fmt.Sprintf(" so far, searching %d%%", share(done, total))
	}
	return text
}
