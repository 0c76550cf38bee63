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

// search is a text that is looked for in all manifests, from the cursor to the end of the trace and then from
// its beginning to the cursor: the next match is found first.
type search struct {
	text   string
	from   int
	filter timeline.Filter
	// ahead has the matches from the event it began at, behind those before it.
	ahead, behind *places
	hunt          *hunt
	wrapped       bool
	// wish is where to go when there is something: 1 to the next match, -1 to the previous one.
	wish int
	// wishFrom is where the wish was made.
	wishFrom spot
}

func newSearch(ctx context.Context, file *timeline.File, filter timeline.Filter, number int, text string, from spot) (*search, tea.Cmd, error) {
	s := &search{text: text, from: int(from.event), ahead: &places{}, behind: &places{}, wish: 1, wishFrom: from}
	s.filter = withText(filter, text)
	var err error
	if s.hunt, err = newHunt(ctx, number, file, s.filter, s.from); err != nil {
		return nil, nil, err
	}
	return s, s.hunt.step(), nil
}

// needle gives what to mark.
func (s *search) needle() string { return lowerNeedle(s.text) }

func lowerNeedle(s string) string { return strings.ToLower(clean(s)) }

// withText gives a filter for what another lets through and has a text in it.
func withText(f timeline.Filter, text string) timeline.Filter {
	if f.Text == "" {
		f.Text = text
		return f
	}
	// One text is looked for by the selection itself; of two, the other is looked for in what that finds.
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

// found takes what a step found.
func (s *search) found(ctx context.Context, file *timeline.File, msg foundMsg) tea.Cmd {
	to := s.ahead
	if s.wrapped {
		to = s.behind
	}
	for _, x := range msg.spots {
		if s.wrapped && int(x.event) >= s.from {
			s.hunt.stop()
			return nil
		}
		to.add(x)
	}
	if s.wrapped && msg.upTo >= s.from {
		s.hunt.stop()
		return nil
	}
	cmd := s.hunt.took(msg)
	if cmd != nil || s.hunt.err != nil || s.wrapped || s.from == 0 || msg.more {
		return cmd
	}
	s.wrapped = true
	again, err := newHunt(ctx, s.hunt.number, file, s.filter, 0)
	if err != nil {
		return nil
	}
	s.hunt = again
	return again.step()
}

// next gives the match that is nearest in a direction, around the ends of the trace. It is certain only when
// nothing that is not known yet could be nearer; else the search has to go on.
func (s *search) next(from spot, direction int) (spot, bool) {
	if direction > 0 {
		if x, ok := s.ahead.after(from); ok && int(from.event) >= s.from {
			return x, true
		}
		if int(from.event) >= s.from && !s.wrapped && !s.hunt.done {
			return spot{}, false
		}
		if int(from.event) < s.from {
			if x, ok := s.behind.after(from); ok {
				return x, true
			}
			if !s.hunt.done {
				return spot{}, false
			}
			return firstOf(s.ahead, s.behind)
		}
		if x, ok := firstOf(s.behind); ok || !s.hunt.done {
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
	if !s.hunt.done {
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

// count gives how many matches there are so far, and which of them one is, from 1; 0: none.
func (s *search) count(at spot) (nth, n int) {
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

// status says how it stands.
func (s *search) status(at spot, total int) string {
	nth, n := s.count(at)
	text := fmt.Sprintf("/%s: %s", clean(s.text), words.Count(n, "match"))
	if n != 1 {
		text = fmt.Sprintf("/%s: %s matches", clean(s.text), words.Number(n))
	}
	if n > 0 && nth > 0 {
		text = fmt.Sprintf("/%s: match %s of %s", clean(s.text), words.Number(nth), words.Number(n))
	}
	switch {
	case s.hunt.err != nil && s.hunt.ctx.Err() == nil:
		text += ", " + clean(s.hunt.err.Error())
	case !s.hunt.done:
		done := s.hunt.upTo - s.from
		if s.wrapped {
			done = total - s.from + s.hunt.upTo
		}
		text += fmt.Sprintf(" so far, searching %d%%", share(done, total))
	}
	return text
}
