package traceconvert

import (
	"bytes"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/trace"
)

// builder builds a trace from changes.
type builder struct {
	*found
	config   *trace.Config
	writer   traceWriter
	index    trace.Index
	encoders map[schema.GroupVersionKind]*manifest.Encoder
	parser   trace.ObjectParser
	// live holds the hashes of the objects that exist.
	live  map[objectKey]uint64
	pods  *pods
	nodes *nodes
	event event
	// now is the current time, in unix milliseconds.
	now     int64
	summary Summary
	times   [][]uint16
	// unknown counts deletions of objects that did not exist, late changes with an earlier time than
	// the previous one.
	unknown, late int
}

// maxDisorder is the number of milliseconds by which a change may be earlier than the previous one
// without a note: recorders watch several kinds concurrently.
const maxDisorder = 1000

// errChanged is returned if the second pass over a recording differs from the first.
var errChanged = errors.New("the file changed while it was read")

// event is the event being collected.
type event struct {
	second  int64
	applied []appliedObject
	deleted []deletedObject
	// places holds the indexes of the objects, from 1; negative for deleted ones.
	places map[objectKey]int
}

type appliedObject struct {
	object trace.Object
	millis uint16
}

type deletedObject = appliedObject

// traceWriter is a [trace.FileWriter], or a [trace.Writer].
type traceWriter interface {
	WriteEvent(e *trace.Event) error
	Finish(tail *trace.Tail) error
	Close() error
}

// newBuilder returns a builder that writes to the result of create.
func newBuilder(f *found, create func(config *trace.Config) (traceWriter, error)) (*builder, error) {
	b := &builder{
		found: f, config: f.config(), index: trace.Index{}, live: map[objectKey]uint64{}, now: *f.first,
		encoders: map[schema.GroupVersionKind]*manifest.Encoder{}, summary: Summary{Timeless: f.timeless, Start: floorSecond(*f.first) / 1000},
	}
	b.pods, b.nodes = newPods(b), newNodes(f)
	b.event = event{second: b.summary.Start, places: map[objectKey]int{}}
	var err error
	b.writer, err = create(b.config)
	return b, err
}

// add adds the next change.
func (b *builder) add(c *change) error {
	at := b.traceTime(c)
	if at < b.now {
		if !c.state && at < b.now-maxDisorder {
			b.late++
		}
		at = b.now
	}
	b.now = at
	k := key(c.gvk, c.name)
	if b.objects[k] == nil {
		return errChanged
	}
	switch k.kind {
	case schema.GroupKind{Kind: "Node"}:
		if err := b.nodes.add(c, at); err != nil {
			return err
		}
	case schema.GroupKind{Kind: "Pod"}:
		if err := b.pods.add(c, k, at); err != nil {
			return err
		}
	}
	if !b.converted(k) {
		if b.objects[k].passes {
			b.summary.Dropped++
		}
		return nil
	}
	if c.json == nil {
		return b.delete(c, k, at)
	}
	return b.apply(c, k, at)
}

func (b *builder) apply(c *change, k objectKey, at int64) error {
	encoder := b.encoders[c.gvk]
	if encoder == nil {
		var err error
		if encoder, err = manifest.NewEncoder(manifest.EncoderOptions{GVK: c.gvk}); err != nil {
			return err
		}
		b.encoders[c.gvk] = encoder
	}
	m, err := encoder.Encode(c.json)
	if err != nil {
		return fmt.Errorf("%s %s: %w", trace.FormatGVK(c.gvk), c.name, err)
	}
	// A trace does not record changes of the status.
	if last, exists := b.live[k]; exists && last == m.Hash {
		return nil
	}
	b.live[k] = m.Hash
	object, err := b.parser.Parse(bytes.Clone(m.Object))
	if err != nil {
		return fmt.Errorf("%s %s: %w", trace.FormatGVK(c.gvk), c.name, err)
	}
	if err := b.reach(at, b.event.places[k] < 0); err != nil {
		return err
	}
	applied := appliedObject{object, b.millis(c, at)}
	if place := b.event.places[k]; place > 0 {
		b.event.applied[place-1] = applied
		return nil
	}
	b.event.applied = append(b.event.applied, applied)
	b.event.places[k] = len(b.event.applied)
	return nil
}

func (b *builder) delete(c *change, k objectKey, at int64) error {
	if _, exists := b.live[k]; !exists {
		b.unknown++
		return nil
	}
	delete(b.live, k)
	object, err := trace.NewDeleted(c.gvk, c.name)
	if err != nil {
		return err
	}
	if err := b.reach(at, false); err != nil {
		return err
	}
	b.event.deleted = append(b.event.deleted, deletedObject{object, b.millis(c, at)})
	b.event.places[k] = -len(b.event.deleted)
	return nil
}

// millis returns the milliseconds of a change within its second. Initial objects have none.
func (b *builder) millis(c *change, at int64) uint16 {
	if c.state {
		return 0
	}
	return uint16(at - floorSecond(at))
}

// reach ends the current event if at is later, or if another event is required.
func (b *builder) reach(at int64, another bool) error {
	second := floorSecond(at) / 1000
	if second == b.event.second && !another {
		return nil
	}
	if err := b.flush(); err != nil {
		return err
	}
	b.event.second = second
	return nil
}

// flush writes the event. The first one is written even if it is empty.
func (b *builder) flush() error {
	e := &b.event
	if len(e.applied)+len(e.deleted) == 0 && b.summary.Events > 0 {
		return nil
	}
	written := trace.Event{Time: e.second}
	times := make([]uint16, 0, len(e.applied)+len(e.deleted))
	for _, o := range e.applied {
		written.Applied = append(written.Applied, o.object)
		times = append(times, o.millis)
	}
	for _, o := range e.deleted {
		written.Deleted = append(written.Deleted, o.object)
		times = append(times, o.millis)
	}
	if err := b.writer.WriteEvent(&written); err != nil {
		return err
	}
	b.index.Record(&written)
	b.times = append(b.times, times)
	b.summary.Events++
	b.summary.End = e.second
	b.summary.Applied += int64(len(e.applied))
	b.summary.Deleted += int64(len(e.deleted))
	*e = event{second: e.second, places: map[objectKey]int{}}
	return nil
}

// finish writes the tail.
func (b *builder) finish() (Summary, error) {
	if err := b.flush(); err != nil {
		return Summary{}, err
	}
	lifecycles, times := b.pods.finish()
	extension := trace.Extension{EventTimes: b.times, Nodes: b.nodes.finish(), Pods: times}
	raw, err := extension.Encode()
	if err != nil {
		return Summary{}, err
	}
	if err := b.writer.Finish(&trace.Tail{Index: b.index, Lifecycles: lifecycles, Extension: raw}); err != nil {
		return Summary{}, err
	}
	for _, names := range b.index {
		b.summary.Indexed += len(names)
	}
	for _, pods := range lifecycles {
		for _, list := range pods {
			b.summary.Lifecycles += len(list)
		}
	}
	b.summary.Nodes = len(b.nodes.periods)
	if b.unknown > 0 {
		b.summary.Notes = append(b.summary.Notes, fmt.Sprintf("deletions of objects that do not exist in the recording: %d (ignored)", b.unknown))
	}
	if b.late > 0 {
		b.summary.Notes = append(b.summary.Notes, fmt.Sprintf("changes earlier than the previous one: %d (moved to its time)", b.late))
	}
	return b.summary, nil
}
