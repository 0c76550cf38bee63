package tracejson

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Format is the output format of an Encoder.
type Format int

const (
	// JSON writes one object per line.
	JSON Format = iota
	// YAML writes a stream of documents for people. [Decode] does not read it.
	YAML
)

const encoderBuffer = 64 << 10

// Encoder writes the parts of a trace, which must have been checked, as those of a trace.Reader.
// The caller must call Flush at the end.
type Encoder struct {
	out    *bufio.Writer
	format Format
	line   []byte // what was not written to out yet
	err    error  // returned by all later calls
}

// NewEncoder returns an Encoder that writes to w through a buffer.
func NewEncoder(w io.Writer, format Format) *Encoder {
	return &Encoder{out: bufio.NewWriterSize(w, encoderBuffer), format: format}
}

// Header writes the version and the config.
func (e *Encoder) Header(config *trace.Config) error {
	e.line = append(e.line, `{"`+keyVersion+`":`...)
	e.line = strconv.AppendInt(e.line, trace.Version, 10)
	e.line = append(e.line, `,"`+keyConfig+`":{"`+keyTracked+`":{`...)
	for i, gvk := range sortedKinds(config.TrackedObjects) {
		e.key(i, trace.FormatGVK(gvk))
		e.trackedObject(config.TrackedObjects[gvk])
	}
	e.line = append(e.line, "}}}"...)
	return e.end()
}

func (e *Encoder) trackedObject(o trace.TrackedObject) {
	e.line = append(e.line, '{')
	fields := 0
	if len(o.PodSpecTemplatePaths) > 0 {
		e.key(fields, keyPaths)
		fields++
		for i, path := range o.PodSpecTemplatePaths {
			e.line = append(e.line, "[,"[min(i, 1)])
			e.line = appendString(e.line, path)
		}
		e.line = append(e.line, ']')
	}
	if o.SkipOwned {
		e.key(fields, keySkipOwned)
		fields++
		e.line = append(e.line, "true"...)
	}
	if o.TrackLifecycle {
		e.key(fields, keyTrackLifecycle)
		e.line = append(e.line, "true"...)
	}
	e.line = append(e.line, '}')
}

// Event writes an event.
func (e *Encoder) Event(event *trace.Event) error {
	e.line = append(e.line, `{"`+keyTime+`":`...)
	e.line = strconv.AppendInt(e.line, event.Time, 10)
	e.line = append(e.line, `,"`+keyApplied+`":[`...)
	e.objects(event.Applied)
	e.line = append(e.line, `],"`+keyDeleted+`":[`...)
	e.objects(event.Deleted)
	e.line = append(e.line, "]}"...)
	return e.end()
}

func (e *Encoder) objects(objects []trace.Object) {
	for i := range objects {
		if i > 0 {
			e.line = append(e.line, ',')
		}
		p := packed{src: objects[i].Raw()}
		e.line = p.appendManifest(e.line)
		e.spill()
	}
}

// Tail writes what follows the events.
func (e *Encoder) Tail(tail *trace.Tail) error {
	e.index(tail.Index)
	if err := e.end(); err != nil {
		return err
	}
	e.lifecycles(tail.Lifecycles)
	if err := e.end(); err != nil || tail.Extension == nil {
		return err
	}
	e.line = append(e.line, `{"`+keyExtension+`":`...)
	p := packed{src: tail.Extension}
	e.line = p.appendExtension(e.line, atRoot)
	e.line = append(e.line, '}')
	return e.end()
}

func (e *Encoder) index(index trace.Index) {
	e.line = append(e.line, `{"`+keyIndex+`":{`...)
	for i, gvk := range sortedKinds(index) {
		e.key(i, trace.FormatGVK(gvk))
		e.line = append(e.line, '{')
		for j, name := range slices.Sorted(maps.Keys(index[gvk])) {
			e.key(j, name)
			e.line = appendHash(e.line, index[gvk][name])
			e.spill()
		}
		e.line = append(e.line, '}')
	}
	e.line = append(e.line, "}}"...)
}

func (e *Encoder) lifecycles(lifecycles trace.Lifecycles) {
	byKind := map[schema.GroupVersionKind][]trace.PodOwner{}
	for owner := range lifecycles {
		byKind[owner.GVK] = append(byKind[owner.GVK], owner)
	}
	e.line = append(e.line, `{"`+keyLifecycles+`":{`...)
	for i, gvk := range sortedKinds(byKind) {
		e.key(i, trace.FormatGVK(gvk))
		e.line = append(e.line, '{')
		owners := byKind[gvk]
		slices.SortFunc(owners, func(a, b trace.PodOwner) int { return cmp.Compare(a.Name, b.Name) })
		for j, owner := range owners {
			e.key(j, owner.Name)
			e.pods(lifecycles[owner])
			e.spill()
		}
		e.line = append(e.line, '}')
	}
	e.line = append(e.line, "}}"...)
}

func (e *Encoder) pods(pods map[uint64][]trace.Lifecycle) {
	e.line = append(e.line, '{')
	for i, hash := range slices.Sorted(maps.Keys(pods)) {
		e.comma(i)
		e.line = append(appendHash(e.line, hash), ':', '[')
		for j, l := range pods[hash] {
			e.comma(j)
			e.line = appendLifecycle(e.line, l)
		}
		e.line = append(e.line, ']')
	}
	e.line = append(e.line, '}')
}

func appendLifecycle(b []byte, l trace.Lifecycle) []byte {
	switch l.State {
	case trace.Running:
		return fmt.Appendf(b, `{"Running":%d}`, l.Start)
	case trace.Finished:
		return fmt.Appendf(b, `{"Finished":[%d,%d]}`, l.Start, l.End)
	default:
		return append(b, `"Empty"`...)
	}
}

func (e *Encoder) comma(i int) {
	if i > 0 {
		e.line = append(e.line, ',')
	}
}

// key begins the entry i of an object.
func (e *Encoder) key(i int, key string) {
	e.comma(i)
	e.line = append(appendString(e.line, key), ':')
}

// spill writes the beginning of a line if it is long. YAML needs whole lines.
func (e *Encoder) spill() {
	if e.format == JSON && len(e.line) >= encoderBuffer {
		e.write(e.line)
		e.line = e.line[:0]
	}
}

// end ends a line.
func (e *Encoder) end() error {
	if e.format == YAML {
		y := yamlWriter{src: e.line}
		e.write(y.document())
	} else {
		e.write(append(e.line, '\n'))
	}
	e.line = e.line[:0]
	return e.err
}

func (e *Encoder) write(b []byte) {
	if e.err != nil {
		return
	}
	if _, err := e.out.Write(b); err != nil {
		e.err = fmt.Errorf("write: %w", err)
	}
}

// Flush writes what is buffered.
func (e *Encoder) Flush() error {
	if e.err != nil {
		return e.err
	}
	if err := e.out.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// sortedKinds returns the keys of a map in the order of their strings.
func sortedKinds[V any](m map[schema.GroupVersionKind]V) []schema.GroupVersionKind {
	return slices.SortedFunc(maps.Keys(m), func(a, b schema.GroupVersionKind) int {
		return cmp.Compare(trace.FormatGVK(a), trace.FormatGVK(b))
	})
}
