package skel

import (
	"context"
	"math"

	"simkube.io/simkube/trace"
)

// sink receives the transformed events in the order of the input, and writes them in time order.
type sink interface {
	// before announces that all further events have this time or a later one.
	before(time int64) error
	event(a *orderedEvent) error
	finish(ctx context.Context) error
	close() error
}

// directSink writes events that are not moved, and the inserted objects between them.
type directSink struct{ run *run }

func (s *directSink) event(a *orderedEvent) error {
	if more := s.run.at(a.time); len(more) > 0 {
		// The slice shares its memory with others, so append must copy it.
		a.event.Applied = append(a.event.Applied[:len(a.event.Applied):len(a.event.Applied)], more...)
	}
	return s.run.write(&a.event)
}

// before writes what is inserted before a time.
func (s *directSink) before(time int64) error {
	for _, e := range s.run.insertsBefore(time) {
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
