package skel

import (
	"context"
	"math"

	"simkube.io/simkube/trace"
)

// sink takes the events that come out, in the order of those that went in, and writes them in the order of time.
type sink interface {
	// before is told that everything that comes from now on is of a time, or later.
	before(time int64) error
	event(a *arrivals) error
	finish(ctx context.Context) error
	close() error
}

// directSink writes events that stay where they are, and what is inserted between them.
type directSink struct{ run *run }

func (s *directSink) event(a *arrivals) error {
	if more := s.run.at(a.time); len(more) > 0 {
		// What is there is a part of other memory.
		a.event.Applied = append(a.event.Applied[:len(a.event.Applied):len(a.event.Applied)], more...)
	}
	return s.run.write(&a.event)
}

// before writes what is inserted before a time.
func (s *directSink) before(time int64) error {
	for _, e := range s.run.until(time) {
		if err := s.run.write(&e); err != nil {
			return err
		}
	}
	return nil
}

func (s *directSink) finish(context.Context) error { return s.before(math.MaxInt64) }

func (s *directSink) close() error { return nil }

func (r *run) write(e *trace.Event) error {
	r.summary.EventsWritten++
	r.summary.ObjectsWritten += int64(len(e.Applied) + len(e.Deleted))
	return r.out.WriteEvent(e)
}
