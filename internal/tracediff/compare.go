package tracediff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/traceedit/content"
	"simkube.io/simkube/trace"
)

// Input is a trace file.
type Input struct {
	// Path is the path of the file. Name is its name in reports and errors. Default: its path.
	Path, Name string
}

// Options configure a comparison. The zero value compares the traces as they are.
type Options struct {
	// Align moves the second trace in time so that it begins when the first does.
	Align bool
	// Progress, if not nil, is called with the number of bytes read since the last call. A trace is
	// read up to twice.
	Progress func(n int)
}

// Compare compares two traces. If ctx is cancelled, it returns the cause.
func Compare(ctx context.Context, a, b Input, opts Options) (_ *Report, err error) {
	c := &comparer{opts: opts, objects: map[objectKey]*pair{}, report: &Report{}}
	for n, in := range []Input{a, b} {
		s, err := openSide(ctx, in, opts.Progress)
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		c.sides[n] = s
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if err := c.events(); err != nil {
		return nil, err
	}
	if err := c.tails(); err != nil {
		return nil, err
	}
	if err := c.differences(); err != nil {
		return nil, err
	}
	r := c.report
	r.A, r.B = c.sides[0].summary, c.sides[1].summary
	r.Same = len(r.Config)+len(r.Objects)+len(r.Index)+len(r.Lifecycles)+len(r.Extension) == 0 && r.Seconds == 0
	return r, nil
}

// objectKey identifies an object.
type objectKey struct {
	gvk  schema.GroupVersionKind
	name string // namespaced
}

func keyOf(o *trace.Object) objectKey { return objectKey{o.GVK(), o.NamespacedName()} }

// pair is the state of an object in both traces.
type pair struct {
	sides [2]history
	// seconds is the number of seconds in which the traces differ for the object, first and last are
	// the first and the last of these.
	seconds, first, last int64
}

// history is the state of an object in a trace.
type history struct {
	ObjectSide
	// last is the hash of the last manifest, which is in the event with index event, at index place.
	last         uint64
	event, place int
}

// comparer compares two traces.
type comparer struct {
	opts    Options
	sides   [2]*side
	objects map[objectKey]*pair
	report  *Report
}

func (c *comparer) close() error {
	var errs []error
	for _, s := range c.sides {
		if s != nil {
			errs = append(errs, s.file.Close())
		}
	}
	return errors.Join(errs...)
}

// operation is an operation on an object: it gets a manifest with a hash, or is deleted.
type operation struct {
	hash    uint64
	deleted bool
}

// events compares the events of both traces, second by second.
func (c *comparer) events() error {
	for _, s := range c.sides {
		if err := s.advance(); err != nil {
			return err
		}
	}
	a, b := c.sides[0], c.sides[1]
	if c.opts.Align && a.event != nil && b.event != nil {
		b.shift = a.at - b.at
		b.at += b.shift
		b.summary.Start, b.summary.End = b.at, b.at
		c.report.Shift = b.shift
	}
	operations := [2]map[objectKey][]operation{{}, {}}
	for a.event != nil || b.event != nil {
		second := a.at
		if a.event == nil || b.event != nil && b.at < a.at {
			second = b.at
		}
		for n, s := range c.sides {
			clear(operations[n])
			for s.event != nil && s.at == second {
				if err := c.record(n, operations[n]); err != nil {
					return err
				}
				if err := s.advance(); err != nil {
					return err
				}
			}
		}
		c.compareSecond(second, operations)
	}
	return nil
}

// record records the operations of an event of a trace.
func (c *comparer) record(n int, operations map[objectKey][]operation) error {
	s := c.sides[n]
	for i := range s.event.Applied {
		o := &s.event.Applied[i]
		if err := s.hasher.Sample(o); err != nil {
			return fmt.Errorf("%s: %w", s.summary.Name, err)
		}
		hash, err := s.hasher.Hash(o)
		if err != nil {
			return fmt.Errorf("%s: %w", s.summary.Name, err)
		}
		k := keyOf(o)
		h := c.history(n, k)
		h.Applied++
		h.Exists, h.last, h.event, h.place = true, hash, s.number, i
		operations[k] = append(operations[k], operation{hash: hash})
	}
	for i := range s.event.Deleted {
		k := keyOf(&s.event.Deleted[i])
		h := c.history(n, k)
		h.Deleted++
		h.Exists = false
		operations[k] = append(operations[k], operation{deleted: true})
	}
	return nil
}

func (c *comparer) history(n int, k objectKey) *history {
	p := c.objects[k]
	if p == nil {
		p = &pair{}
		c.objects[k] = p
	}
	return &p.sides[n]
}

// compareSecond records the objects whose operations differ in a second.
func (c *comparer) compareSecond(second int64, operations [2]map[objectKey][]operation) {
	differs := false
	note := func(k objectKey) {
		p := c.objects[k]
		if p.seconds == 0 {
			p.first = second
		}
		p.seconds++
		p.last = second
		differs = true
	}
	for k, first := range operations[0] {
		if !slices.Equal(first, operations[1][k]) {
			note(k)
		}
	}
	for k := range operations[1] {
		if _, both := operations[0][k]; !both {
			note(k)
		}
	}
	if differs {
		c.report.Seconds++
	}
}

// side is one of the traces.
type side struct {
	ctx      context.Context
	file     *trace.File
	hasher   content.Hasher
	progress func(n int)
	summary  Side
	tail     *trace.Tail
	// shift is added to its times.
	shift int64
	// event is the last event read, number its index, at its time; nil at the end.
	event  *trace.Event
	number int
	at     int64
	offset int64
}

func openSide(ctx context.Context, in Input, progress func(n int)) (*side, error) {
	if progress == nil {
		progress = func(int) {}
	}
	file, err := trace.Open(in.Path)
	if err != nil {
		if in.Name != "" && in.Name != in.Path {
			err = fmt.Errorf("%s: %w", in.Name, err)
		}
		return nil, err
	}
	return &side{ctx: ctx, file: file, progress: progress, number: -1, summary: Side{Name: cmp.Or(in.Name, in.Path)}}, nil
}

// advance reads the next event. An event that is earlier than the previous one is treated as if it
// were at the same time.
func (s *side) advance() error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	event, err := s.file.Next()
	s.progress(int(s.file.Offset() - s.offset))
	s.offset = s.file.Offset()
	switch {
	case errors.Is(err, io.EOF):
		s.event = nil
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", s.summary.Name, err)
	}
	s.number++
	s.event = event
	if at := event.Time + s.shift; s.number == 0 || at > s.at {
		s.at = at
	}
	if s.number == 0 {
		s.summary.Start = s.at
	}
	s.summary.End = s.at
	s.summary.Events++
	s.summary.Applied += int64(len(event.Applied))
	s.summary.Deleted += int64(len(event.Deleted))
	return nil
}
