package skel

import (
	"context"
	"errors"
	"io"
	"sync"

	"simkube.io/simkube/trace"
)

// events processes all events: one goroutine reads, several transform, and this one puts the
// results in order. first is the event that has already been read, or nil.
func (r *run) events(ctx context.Context, first *trace.Event) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The number of batches bounds the memory.
	ahead := 2*r.opts.Workers + 2
	free := make(chan *batch, ahead)
	for range ahead {
		free <- new(batch)
	}
	work, ordered := make(chan *batch, ahead), make(chan *batch, ahead)
	var group sync.WaitGroup
	defer group.Wait()
	workers := make([]*worker, r.opts.Workers)
	for i := range workers {
		workers[i] = r.newWorker()
		group.Go(func() {
			for b := range work {
				workers[i].work(b)
			}
		})
	}
	var readErr error
	group.Go(func() {
		defer close(ordered)
		defer close(work)
		readErr = r.read(ctx, first, free, work, ordered)
	})
	var failure error
	for b := range ordered {
		<-b.done
		if failure == nil {
			if failure = context.Cause(ctx); failure == nil {
				failure = r.order(b)
			}
			if failure == nil {
				failure = b.err
			}
			if failure != nil {
				cancel(failure)
			}
		}
		free <- b
	}
	group.Wait()
	if failure != nil {
		return failure
	}
	for _, w := range workers {
		r.summary.add(w.machine)
	}
	return readErr
}

// read reads events into batches.
func (r *run) read(ctx context.Context, event *trace.Event, free <-chan *batch, work, ordered chan<- *batch) error {
	number := 0
	for event != nil {
		var b *batch
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case b = <-free:
		}
		b.reset(number)
		var err error
		for event != nil && err == nil && b.in.Size() < batchBytes && len(b.in.Events) < batchEvents {
			b.in.Add(event)
			number++
			event, err = r.in.Next()
		}
		// Neither blocks: both channels have room for every batch.
		work <- b
		ordered <- b
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// order passes the transformed events of a batch to the history and the sink.
func (r *run) order(b *batch) error {
	for i := range b.results {
		if err := r.event(b, i); err != nil {
			return err
		}
	}
	if r.opts.Progress != nil {
		r.opts.Progress(r.number)
	}
	return nil
}

// orderedEvent is an event on its way to the sink.
type orderedEvent struct {
	// time is the time of the event; number is its index in the input.
	time   int64
	number int
	// applied and deleted are the shifts of the objects; empty if none is moved.
	event         trace.Event
	appliedShifts []int64
	deletedShifts []int64
	// kept holds for each object of the original event whether anything is left of it.
	kept []bool
}

func (r *run) event(b *batch, i int) error {
	e, result := &b.in.Events[i], &b.results[i]
	number := b.first + i
	r.number = number + 1
	time := e.Time
	if number > 0 && time < r.last {
		time = r.last
		r.summary.Unordered++
	}
	r.last = time
	if err := r.sink.before(time); err != nil {
		return err
	}
	r.summary.EventsRead++
	r.summary.ObjectsRead += int64(len(e.Applied) + len(e.Deleted))
	a := orderedEvent{time: time, number: number, event: trace.Event{Time: time}}
	if !result.touched {
		r.history.same(e)
		a.event.Applied, a.event.Deleted = e.Applied, e.Deleted
		return r.sink.event(&a)
	}
	r.applied(&a, b, e, b.outcomes[result.applied.from:result.applied.to])
	if err := r.deleted(&a, e, b.records[result.deleted.from:result.deleted.to]); err != nil {
		return err
	}
	r.history.lost(number, a.kept)
	if len(a.event.Applied)+len(a.event.Deleted) == 0 && len(e.Applied)+len(e.Deleted) > 0 {
		return nil
	}
	return r.sink.event(&a)
}

func (r *run) applied(a *orderedEvent, b *batch, e *trace.Event, outcomes []outcome) {
	for j, o := range outcomes {
		obj := &e.Applied[j]
		a.kept = append(a.kept, o.same || o.objects.from != o.objects.to)
		if o.same && o.objects == (span{}) {
			r.history.apply(obj, nil, true)
			a.add(obj, 0)
			continue
		}
		objects := b.objects[o.objects.from:o.objects.to]
		for k := range objects {
			objects[k].moved = r.moved(a.time, objects[k].shift) - a.time
		}
		r.history.apply(obj, objects, o.same)
		for k := range objects {
			a.add(&objects[k].object, objects[k].shift)
		}
		if !o.same {
			r.changed(a.number, e.Time, obj, objects)
		}
	}
}

func (a *orderedEvent) add(obj *trace.Object, shift int64) {
	a.event.Applied = append(a.event.Applied, *obj)
	a.appliedShifts = append(a.appliedShifts, shift)
}

func (r *run) deleted(a *orderedEvent, e *trace.Event, records []recordOutcome) error {
	if len(records) == 0 {
		a.event.Deleted = e.Deleted
		for range e.Deleted {
			a.kept = append(a.kept, true)
		}
		return nil
	}
	for j := range records {
		ends, err := r.history.delete(&e.Deleted[j], &records[j])
		if err != nil {
			return err
		}
		a.kept = append(a.kept, len(ends) > 0)
		for _, end := range ends {
			a.event.Deleted = append(a.event.Deleted, end.object)
			a.deletedShifts = append(a.deletedShifts, end.shift)
		}
	}
	return nil
}

// changed calls OnChange for a changed object.
func (r *run) changed(event int, time int64, before *trace.Object, objects []outObject) {
	if r.opts.OnChange == nil || r.changesDone {
		return
	}
	c := Change{Event: event, Time: time, Before: before}
	for k := range objects {
		c.After = append(c.After, ChangedObject{&objects[k].object, objects[k].shift})
	}
	r.changesDone = !r.opts.OnChange(&c)
}
