package traceedit

import (
	"errors"
	"io"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

func isEnd(err error) bool { return errors.Is(err, io.EOF) }

// objectKey identifies an object.
type objectKey struct {
	gvk  schema.GroupVersionKind
	name string // namespaced
}

func keyOf(o *trace.Object) objectKey { return objectKey{o.GVK(), o.NamespacedName()} }

// collector writes events and collects the tail.
type collector struct {
	writer *trace.FileWriter
	index  trace.Index
	// withTimes: the milliseconds are kept.
	withTimes bool
	times     [][]uint16

	event   trace.Event
	applied []uint16
	deleted []uint16

	summary Summary
}

// Summary describes the output.
type Summary struct {
	// Start and End are the times of the first and the last event, in unix seconds.
	Start, End          int64
	Events              int
	Applied, Deleted    int64
	Indexed, Lifecycles int
	// Notes are messages for the user about anything unusual.
	Notes []string
}

// newCollector starts a trace with about the expected number of events.
func newCollector(output string, config *trace.Config, expected int, withTimes bool) (*collector, error) {
	writer, err := trace.Create(output, config, trace.WriterOptions{Expected: expected})
	if err != nil {
		return nil, err
	}
	return &collector{writer: writer, index: trace.Index{}, withTimes: withTimes}, nil
}

// apply adds an object to the event. The object must stay valid until the event is written.
func (c *collector) apply(o trace.Object, millis uint16) {
	c.event.Applied = append(c.event.Applied, o)
	c.applied = append(c.applied, millis)
}

func (c *collector) delete(o trace.Object, millis uint16) {
	c.event.Deleted = append(c.event.Deleted, o)
	c.deleted = append(c.deleted, millis)
}

func (c *collector) empty() bool { return len(c.event.Applied)+len(c.event.Deleted) == 0 }

// write writes the event with a time, and starts the next one. An empty event is only written if
// must is true.
func (c *collector) write(time int64, must bool) error {
	if c.empty() && !must {
		return nil
	}
	c.event.Time = time
	if err := c.writer.WriteEvent(&c.event); err != nil {
		return err
	}
	c.index.Record(&c.event)
	if c.withTimes {
		c.times = append(c.times, append(append(make([]uint16, 0, len(c.applied)+len(c.deleted)), c.applied...), c.deleted...))
	}
	if c.summary.Events == 0 {
		c.summary.Start = time
	}
	c.summary.End = time
	c.summary.Events++
	c.summary.Applied += int64(len(c.event.Applied))
	c.summary.Deleted += int64(len(c.event.Deleted))
	clear(c.event.Applied)
	clear(c.event.Deleted)
	c.event = trace.Event{Applied: c.event.Applied[:0], Deleted: c.event.Deleted[:0]}
	c.applied, c.deleted = c.applied[:0], c.deleted[:0]
	return nil
}

// finish writes the tail. The event times in the extension are those of the collector. If extension
// is nil, there is none.
func (c *collector) finish(lifecycles trace.Lifecycles, extension *trace.Extension) (Summary, error) {
	tail := &trace.Tail{Index: c.index, Lifecycles: lifecycles}
	if extension != nil {
		if c.withTimes {
			extension.EventTimes = c.times
		}
		var err error
		if tail.Extension, err = extension.Encode(); err != nil {
			return Summary{}, err
		}
	}
	if err := c.writer.Finish(tail); err != nil {
		return Summary{}, err
	}
	for _, names := range c.index {
		c.summary.Indexed += len(names)
	}
	for _, hashes := range lifecycles {
		for _, list := range hashes {
			c.summary.Lifecycles += len(list)
		}
	}
	return c.summary, nil
}
