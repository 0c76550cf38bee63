package tracejson

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// output writes the trace. While there is no config, which precedes the events, they go to a
// temporary trace that is copied at the end.
type output struct {
	w       io.Writer
	dir     string
	config  *trace.Config
	decoded Decoded

	writer *trace.Writer
	// waiting is the file of the temporary trace.
	waiting *os.File
	buffer  *bufio.Writer

	// wantsIndex reports that the index may have to be made from the events.
	wantsIndex bool
	index      trace.Index
	kinds      map[schema.GroupVersionKind]trace.TrackedObject
}

func (o *output) event(event *trace.Event) error {
	if o.writer == nil {
		if err := o.begin(); err != nil {
			return err
		}
	}
	if err := o.writer.WriteEvent(event); err != nil {
		return err
	}
	o.decoded.Events++
	o.decoded.Objects += len(event.Applied) + len(event.Deleted)
	if o.wantsIndex {
		o.index.Record(event)
	}
	if o.waiting != nil {
		for _, objects := range [][]trace.Object{event.Applied, event.Deleted} {
			for i := range objects {
				o.kinds[objects[i].GVK()] = trace.TrackedObject{}
			}
		}
	}
	return nil
}

// begin creates the writer for the first event.
func (o *output) begin() (err error) {
	o.index = trace.Index{}
	if o.config != nil {
		o.writer, err = trace.NewWriter(o.w, o.config, trace.WriterOptions{SpoolDir: o.dir})
		return err
	}
	o.kinds = map[schema.GroupVersionKind]trace.TrackedObject{}
	if o.waiting, err = os.CreateTemp(o.dir, ".skctl-events.*.tmp"); err != nil {
		return fmt.Errorf("make room for events: %w", err)
	}
	o.buffer = bufio.NewWriter(o.waiting)
	o.writer, err = trace.NewWriter(o.buffer, &trace.Config{}, trace.WriterOptions{SpoolDir: o.dir})
	return err
}

func (o *output) finish(tail *trace.Tail) error {
	if o.writer == nil {
		if err := o.begin(); err != nil {
			return err
		}
	}
	if tail.Index == nil {
		tail.Index = o.index
		o.decoded.IndexMade = true
	}
	if o.waiting == nil {
		return o.writer.Finish(tail)
	}
	if o.config == nil {
		o.config = &trace.Config{TrackedObjects: o.kinds}
		o.decoded.ConfigMade = true
	}
	if err := o.copyWaiting(tail); err != nil {
		return fmt.Errorf("copy the events: %w", err)
	}
	return nil
}

// copyWaiting copies the events from the temporary trace to the trace.
func (o *output) copyWaiting(tail *trace.Tail) error {
	if err := errors.Join(o.writer.Finish(&trace.Tail{}), o.buffer.Flush()); err != nil {
		return err
	}
	if _, err := o.waiting.Seek(0, io.SeekStart); err != nil {
		return err
	}
	reader, err := trace.NewReader(o.waiting)
	if err != nil {
		return err
	}
	w, err := trace.NewWriter(o.w, o.config, trace.WriterOptions{Events: reader.Len(), Extension: tail.Extension != nil, SpoolDir: o.dir})
	if err != nil {
		return err
	}
	for event, err := range reader.Events() {
		if err == nil {
			err = w.WriteEvent(event)
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return errors.Join(w.Finish(tail), w.Close())
}

// close releases the writer and removes the temporary file.
func (o *output) close() (err error) {
	if o.writer != nil {
		err = o.writer.Close()
	}
	if o.waiting != nil {
		err = errors.Join(err, o.waiting.Close(), os.Remove(o.waiting.Name()))
	}
	return err
}
