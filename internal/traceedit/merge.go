package traceedit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"simkube.io/simkube/trace"
)

// MaxInputs is how many traces can be merged at once.
const MaxInputs = 64

// Conflict says what becomes of an object that traces have in different ways at one time.
type Conflict string

// What can be done about conflicts.
const (
	// ConflictError fails with a *ConflictError.
	ConflictError Conflict = "error"
	// ConflictFirst keeps the object of the trace that had it first, until that deletes it or ends; at one time, that of the trace named first.
	ConflictFirst Conflict = "first"
	// ConflictLast has the latest change count, whichever trace it is of; at one time, that of the trace named last.
	ConflictLast Conflict = "last"
)

// MergeOptions say how traces are merged. The zero value leaves their times as they are, and fails at a conflict.
type MergeOptions struct {
	// Align moves all traces in time so that they begin when the first of them does.
	Align bool
	// Join takes the traces for recordings of one cluster, one after the other, in the order of their beginnings: a later one has everything
	// that exists when it begins, so that what else there was is deleted then, and from there on its word counts.
	Join bool
	// OnConflict is what is done about objects that traces have in different ways, and about kinds that they are configured for in different
	// ways; empty is ConflictError.
	OnConflict Conflict
	// Progress is told of bytes that were read. Each trace is read twice. Nil: nobody is told.
	Progress func(n int)
}

// DifferentError is returned when traces contradict each other.
type DifferentError struct {
	// What they have in different ways: an object, or the configuration of a kind.
	What string
	// First and Second are the traces, Time when the second comes to have it, in unix seconds; 0 for a configuration.
	First, Second string
	Time          int64
}

// Error names what is different, and where.
func (e *DifferentError) Error() string {
	if e.Time == 0 {
		return fmt.Sprintf("%s and %s have different %s", e.First, e.Second, e.What)
	}
	return fmt.Sprintf("%s and %s have a different %s at %s", e.First, e.Second, e.What, time.Unix(e.Time, 0).UTC().Format(time.RFC3339))
}

// Merge makes one trace of several. The output appears under its path only when it is whole. It fails with a *DifferentError when the traces
// contradict each other and the options do not say who is right, and with the cause of ctx when that ends.
func Merge(ctx context.Context, inputs []Input, output string, opts MergeOptions) (_ Summary, err error) {
	switch {
	case len(inputs) == 0:
		return Summary{}, errors.New("merge: there are no traces")
	case len(inputs) > MaxInputs:
		return Summary{}, fmt.Errorf("merge: these are %d traces, %d can be merged at once", len(inputs), MaxInputs)
	case opts.Align && opts.Join:
		return Summary{}, errors.New("merge: traces that begin at one time cannot be one after the other")
	}
	m := &merger{opts: opts, objects: map[objectKey]*mergedObject{}}
	defer func() {
		for _, p := range m.parts {
			err = errors.Join(err, p.close())
		}
	}()
	for n, in := range inputs {
		i, err := openInput(ctx, in, opts.Progress)
		if err != nil {
			return Summary{}, err
		}
		m.parts = append(m.parts, &part{input: i, place: n, end: math.MaxInt64})
	}
	return m.run(output)
}

// merger merges traces.
type merger struct {
	opts  MergeOptions
	parts []*part
	out   *collector
	// objects are all there were.
	objects map[objectKey]*mergedObject
	// began: the first event is written. second is the time of the event that is collected, in it has the objects that are.
	began  bool
	second int64
	in     map[objectKey]inEvent
	notes  []string
}

// part is a trace that is merged.
type part struct {
	*input
	place int
	// shift is added to its times. Of its events, those before end count.
	shift, end int64
	event      *trace.Event
	at         int64
	// noted: the user is told that it may have been meant to be joined.
	noted bool
	// taken says that the event that is collected has one of this trace.
	taken bool
	// round is how many events it had at the second of its last one.
	round  int
	second int64
}

// roundAt gives how many events it had at a second so far.
func (p *part) roundAt(second int64) int {
	if p.second != second {
		return 0
	}
	return p.round
}

// begin is when it begins in the merged trace.
func (p *part) begin() int64 { return p.first + p.shift }

// advance reads the next event.
func (p *part) advance() (err error) {
	if p.event, p.at, err = p.read(); err != nil {
		return err
	}
	p.at += p.shift
	if p.at >= p.end {
		p.event = nil
	}
	return nil
}

// inEvent is what the event that is collected has of an object: the place where it is applied, from 1, and whether it is deleted.
type inEvent struct {
	applied int
	deleted bool
}

func (m *merger) run(output string) (_ Summary, err error) {
	m.arrange()
	config, err := m.config()
	if err != nil {
		return Summary{}, err
	}
	expected := 0
	for _, p := range m.parts {
		expected += p.events
	}
	m.out, err = newCollector(output, config, expected, slices.ContainsFunc(m.parts, func(p *part) bool { return p.hasTimes }))
	if err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, m.out.writer.Close()) }()
	if err := m.events(); err != nil {
		return Summary{}, err
	}
	for _, p := range m.parts {
		m.notes = append(m.notes, p.notes...)
	}
	m.out.summary.Notes = m.notes
	return m.out.finish(m.lifecycles(), m.extension())
}

// arrange puts the traces where they are in time.
func (m *merger) arrange() {
	if m.opts.Align {
		first := slices.IndexFunc(m.parts, func(p *part) bool { return p.events > 0 })
		for _, p := range m.parts {
			if p.events > 0 {
				p.shift = m.parts[first].first - p.first
			}
		}
	}
	if !m.opts.Join {
		return
	}
	slices.SortStableFunc(m.parts, func(a, b *part) int { return cmp.Compare(a.first, b.first) })
	for n, p := range m.parts {
		p.place = n
		if n > 0 && p.events > 0 {
			m.parts[n-1].end = p.first
		}
	}
}

// events writes the events, in the order of their times, and at one time in that of the traces.
func (m *merger) events() error {
	for _, p := range m.parts {
		if err := p.advance(); err != nil {
			return err
		}
	}
	m.in = map[objectKey]inEvent{}
	for {
		p := m.next()
		if p == nil {
			return m.flush()
		}
		if err := m.take(p); err != nil {
			return err
		}
		if err := p.advance(); err != nil {
			return err
		}
		if p.event == nil {
			m.ended(p)
		}
	}
}

// next gives the trace whose event comes next. Of events of one time, those come first that are what exists when their traces begin, and
// then those whose traces had the fewest at that time.
func (m *merger) next() *part {
	var next *part
	for _, p := range m.parts {
		if p.event != nil && (next == nil || m.before(p, next)) {
			next = p
		}
	}
	return next
}

func (m *merger) before(p, other *part) bool {
	pState, otherState := p.next == 1, other.next == 1
	switch {
	case p.at != other.at:
		return p.at < other.at
	case pState != otherState:
		return pState
	}
	return p.roundAt(p.at) < other.roundAt(p.at)
}

// take adds an event to the one that is collected.
func (m *merger) take(p *part) error {
	state := p.next == 1 // it is the one that was read last
	// A trace's second event of a second is another one. The first event of all is what existed, and nothing else.
	if !m.out.empty() || len(m.in) > 0 || m.starts() {
		if p.at != m.second || p.taken || m.starts() && !state {
			if err := m.flush(); err != nil {
				return err
			}
		}
	}
	m.second = p.at
	// What exists when a later trace begins is not an event of it that another could not be put together with.
	p.taken = !state || !m.began
	if !state {
		p.round, p.second = p.roundAt(p.at)+1, p.at
	}
	if state && m.opts.Join && m.began {
		if err := m.leave(p); err != nil {
			return err
		}
	}
	times := p.millis()
	millis := func(n int) uint16 {
		if times == nil || state && m.began {
			return 0
		}
		return times[n]
	}
	for n := range p.event.Applied {
		if err := m.apply(p, &p.event.Applied[n], millis(n)); err != nil {
			return err
		}
	}
	for n := range p.event.Deleted {
		m.delete(p, &p.event.Deleted[n], millis(len(p.event.Applied)+n))
	}
	return nil
}

// starts tells whether the event that is collected is the first of all.
func (m *merger) starts() bool {
	return !m.began && slices.ContainsFunc(m.parts, func(p *part) bool { return p.taken })
}

// flush writes the event that is collected. The first is written even if there is nothing in it.
func (m *merger) flush() error {
	must := !m.began && m.starts()
	if err := m.out.write(m.second, must); err != nil {
		return err
	}
	m.began = m.began || m.out.summary.Events > 0
	clear(m.in)
	for _, p := range m.parts {
		p.taken = false
	}
	return nil
}
