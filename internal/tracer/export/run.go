package export

import (
	"context"
	"errors"
	"fmt"
	"io"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// exporter makes one trace.
type exporter struct {
	ctx    context.Context
	source Source
	opts   Options
	dir    string
	// from and to bound the window in unix milliseconds.
	from, to int64
	decider  *decider
	// batch is the event that is being collected.
	batch  *batch
	writer *trace.Writer
	index  *table
	// leftOut has the objects in namespaces that the filters leave out.
	leftOut *table
	times   *timesSpool // nil if not wanted
	// read is the number of records read from the source.
	read    int
	summary Summary
}

// How many records are read between two checks of the context and two calls of Progress.
const (
	checkEvery    = 1 << 6
	progressEvery = 1 << 12
)

func (e *exporter) run(w io.Writer) (err error) {
	e.writer, err = trace.NewWriter(&contextWriter{e.ctx, w}, e.opts.Config, trace.WriterOptions{SpoolDir: e.dir})
	if err != nil {
		return err
	}
	if e.opts.Extension {
		e.times = newTimesSpool(e.dir)
	}
	if err := e.state(); err != nil {
		return fmt.Errorf("export the state: %w", err)
	}
	if err := e.changes(); err != nil {
		return fmt.Errorf("export the changes: %w", err)
	}
	if err := e.countLeftOut(); err != nil {
		return err
	}
	if err := e.tail(); err != nil {
		return err
	}
	e.progress(e.to)
	return nil
}

// close closes everything that has a file.
func (e *exporter) close() error {
	err := errors.Join(e.batch.close(), e.index.close(), e.leftOut.close())
	if e.writer != nil {
		err = errors.Join(err, e.writer.Close())
	}
	if e.times != nil {
		err = errors.Join(err, e.times.close())
	}
	return err
}

// state writes the first event: what exists at the start of the window.
func (e *exporter) state() error {
	for r, err := range e.source.StateAt(e.from) {
		if err := errors.Join(err, e.step(e.from)); err != nil {
			return err
		}
		in, err := e.decider.state(r)
		if err != nil {
			return err
		}
		if !in {
			if err := e.leaveOut(r); err != nil {
				return err
			}
			continue
		}
		if err := e.batch.apply(r.Object, 0); err != nil {
			return err
		}
	}
	return e.flush(e.summary.Start)
}

// changes writes the other events: the changes in the window.
func (e *exporter) changes() error {
	second := e.summary.Start
	for r, err := range e.source.Changes(e.from, e.to) {
		if err != nil {
			return err
		}
		if err := e.step(r.Time); err != nil {
			return err
		}
		op, err := e.decider.change(r)
		if err != nil {
			return err
		}
		if op == 0 {
			if err := e.leaveOut(r); err != nil {
				return err
			}
			continue
		}
		at := seconds(r.Time)
		if at != second || op == log.Applied && e.batch.has(r.Key) {
			if err := e.flushChanges(second); err != nil {
				return err
			}
			second = at
		}
		millis := uint16(r.Time - at*1000)
		if op == log.Applied {
			err = e.batch.applyKey(r.Key, r.Object, millis)
		} else {
			e.batch.delete(r.Key, millis)
		}
		if err != nil {
			return err
		}
	}
	return e.flushChanges(second)
}

// step must be called for each record that was read. It returns the cause of the context.
func (e *exporter) step(reached int64) error {
	e.read++
	if e.read%checkEvery == 0 && e.ctx.Err() != nil {
		return context.Cause(e.ctx)
	}
	if e.read%progressEvery == 0 {
		e.progress(reached)
	}
	return nil
}

func (e *exporter) progress(reached int64) {
	if e.opts.Progress != nil {
		e.opts.Progress(Progress{Reached: reached, Events: e.summary.Events, Objects: e.summary.Applied + e.summary.Deleted})
	}
}

func (e *exporter) flushChanges(second int64) error {
	if e.batch.empty() {
		return nil
	}
	return e.flush(second)
}

// flush writes the collected event and starts another.
func (e *exporter) flush(second int64) error {
	if err := e.flushStream(second); err != nil {
		return err
	}
	e.summary.Events++
	return e.batch.reset()
}

// flushStream writes the event object by object.
func (e *exporter) flushStream(second int64) error {
	if e.times != nil {
		e.batch.eachMillis(e.times.add)
		if err := e.times.end(); err != nil {
			return err
		}
	}
	applied, deleted := e.batch.counts()
	event := trace.EventStream{
		Time: second,
		Applied: trace.ObjectStream{Count: applied, Objects: func(yield func(*trace.Object, error) bool) {
			for obj, err := range e.batch.applied() {
				if err == nil {
					err = e.note(obj)
				}
				if !yield(obj, err) || err != nil {
					return
				}
			}
		}},
		Deleted: trace.ObjectStream{Count: deleted, Objects: e.batch.deleted()},
	}
	e.summary.Deleted += int64(deleted)
	return e.writer.WriteEventStream(&event)
}

// note adds an applied object to the index.
func (e *exporter) note(obj *trace.Object) error {
	e.summary.Applied++
	return e.index.put(indexKey(obj.GVK(), obj.NamespacedName()), value{obj.Hash()})
}

// contextWriter writes until a context ends.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c *contextWriter) Write(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.w.Write(p)
}
