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

// MaxInputs is the maximum number of traces that can be merged at once.
const MaxInputs = 64

// Conflict is how to handle different versions of an object at the same time.
type Conflict string

// The ways to handle conflicts.
const (
	// ConflictError returns a *DifferentError.
	ConflictError Conflict = "error"
	// ConflictFirst keeps the object of the trace that had it first, until that trace deletes it or
	// ends. For objects at the same time, the order of the inputs decides.
	ConflictFirst Conflict = "first"
	// ConflictLast uses the latest change of any trace. For changes at the same time, the last of the
	// inputs wins.
	ConflictLast Conflict = "last"
)

// MergeOptions configure a merge. The zero value keeps the times and returns an error for
// conflicts.
type MergeOptions struct {
	// Align moves all traces in time so that they begin when the first of them does.
	Align bool
	// Join treats the traces as consecutive recordings of one cluster, ordered by their start. A later
	// recording contains everything that exists at its start, so other objects are deleted then, and
	// it takes precedence from there on.
	Join bool
	// OnConflict is how to handle different versions of objects, and different configurations of
	// kinds. Default: ConflictError.
	OnConflict Conflict
	// Progress, if not nil, is called with the number of bytes read since the last call. Each trace is
	// read twice.
	Progress func(n int)
}

// DifferentError is returned for conflicting traces.
type DifferentError struct {
	// What differs: an object, or the configuration of a kind.
	What string
	// First and Second are the traces. Time is when the second one applies its version, in unix
	// seconds; 0 for a configuration.
	First, Second string
	Time          int64
}

// Error returns a message with what differs and where.
func (e *DifferentError) Error() string {
	if e.Time == 0 {
		return fmt.Sprintf("%s and %s have different %s", e.First, e.Second, e.What)
	}
	return fmt.Sprintf("%s and %s have a different %s at %s", e.First, e.Second, e.What, time.Unix(e.Time, 0).UTC().Format(time.RFC3339))
}

// Merge merges several traces into one. The output appears under its path only when it is complete.
// The error is a *DifferentError if the traces conflict and the options do not resolve it. If ctx
// is cancelled, it returns the cause.
func Merge(ctx context.Context, inputs []Input, output string, opts MergeOptions) (_ Summary, err error) {
	switch {
	case len(inputs) == 0:
		return Summary{}, errors.New("merge: no traces")
	case len(inputs) > MaxInputs:
		return Summary{}, fmt.Errorf("merge: too many traces: %d, at most %d", len(inputs), MaxInputs)
	case opts.Align && opts.Join:
		return Summary{}, errors.New("merge: traces that begin at the same time cannot be joined")
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
	// objects are all objects of the traces.
	objects map[objectKey]*mergedObject
	// began: the first event has been written. second is the time of the event being collected; in
	// holds its objects.
	began  bool
	second int64
	in     map[objectKey]inEvent
	// keeps: a trace has an event without objects there, which is kept: the last one ends a replay.
	keeps bool
	notes []string
}

// part is a trace that is merged.
type part struct {
	*input
	place int
	// shift is added to its times. Only its events before end are used.
	shift, end int64
	event      *trace.Event
	at         int64
	// hinted: the user has been told that Join may have been intended.
	hinted bool
	// taken: the event being collected contains an event of this trace.
	taken bool
	// eventsAtReached is the number of events it had at the second of its last one.
	eventsAtReached int
	second          int64
}

// eventsAt returns the number of events it had at a second so far.
func (p *part) eventsAt(second int64) int {
	if p.second != second {
		return 0
	}
	return p.eventsAtReached
}

// begin returns the start of the trace in the merged trace.
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

// inEvent is the state of an object in the event being collected.
type inEvent struct {
	// applied is the index at which it is applied last, from 1; deleted: it is deleted; released: the
	// trace that applied it deletes it, though others may still contain it.
	applied           int
	deleted, released bool
	// by is the index of the trace that applied or deleted it last.
	by int
	// hash is the hash of the last version, earlier are those of the versions before. Other programs
	// write events with several versions of an object.
	hash    uint64
	earlier []uint64
}

// has reports whether the object has exactly these versions in the event.
func (i *inEvent) has(versions []uint64) bool {
	if i.applied == 0 {
		return len(versions) == 0
	}
	n := len(versions) - 1
	return n == len(i.earlier) && versions[n] == i.hash && slices.Equal(versions[:n], i.earlier)
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

// arrange computes the positions of the traces in time.
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

// events writes the events in time order. Events at the same time are in the order of the traces.
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

// next returns the trace with the next event. Of events at the same time, initial states come
// first, then the traces with the fewest events at that time so far.
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
	return p.eventsAt(p.at) < other.eventsAt(p.at)
}

// take adds an event to the event being collected.
func (m *merger) take(p *part) error {
	state := p.next == 1 // this is the first event of the trace
	// Two events of one trace in the same second stay separate. The first event holds only the initial
	// state.
	if !m.out.empty() || len(m.in) > 0 || m.keeps || m.starts() {
		if p.at != m.second || p.taken || m.starts() && !state {
			if err := m.flush(); err != nil {
				return err
			}
		}
	}
	m.second = p.at
	m.keeps = m.keeps || len(p.event.Applied)+len(p.event.Deleted) == 0
	// The initial state of a later trace can be combined with further events.
	p.taken = !state || !m.began
	if !state {
		p.eventsAtReached, p.second = p.eventsAt(p.at)+1, p.at
	}
	if state && m.opts.Join && m.began {
		if err := m.deleteAbsent(p); err != nil {
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

// starts reports whether the event being collected is the first one.
func (m *merger) starts() bool {
	return !m.began && slices.ContainsFunc(m.parts, func(p *part) bool { return p.taken })
}

// flush writes the event being collected. The first one is written even if it is empty.
func (m *merger) flush() error {
	must := m.keeps || !m.began && m.starts()
	if err := m.out.write(m.second, must); err != nil {
		return err
	}
	m.began = m.began || m.out.summary.Events > 0
	clear(m.in)
	m.keeps = false
	for _, p := range m.parts {
		p.taken = false
	}
	return nil
}
