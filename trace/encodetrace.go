package trace

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// appendEvent appends an event in its canonical form.
func appendEvent(b []byte, e *Event) (_ []byte, err error) {
	b = msgp.AppendMapHeader(b, 3)
	b = appendInt(msgp.AppendString(b, "ts"), e.Time)
	b = msgp.AppendArrayHeader(msgp.AppendString(b, "applied_objs"), uint32(len(e.Applied)))
	for i := range e.Applied {
		if b, err = e.Applied[i].appendCanonical(b); err != nil {
			return nil, fmt.Errorf("applied object %d: %w", i, err)
		}
	}
	b = msgp.AppendArrayHeader(msgp.AppendString(b, "deleted_objs"), uint32(len(e.Deleted)))
	for i := range e.Deleted {
		if b, err = e.Deleted[i].appendDeleted(b); err != nil {
			return nil, fmt.Errorf("deleted object %d: %w", i, err)
		}
	}
	return b, nil
}

// appendCanonical appends the whole object.
func (o *Object) appendCanonical(b []byte) ([]byte, error) {
	switch {
	case o.gvk == nil:
		return nil, errZeroObject
	case o.canonical:
		return append(b, o.raw...), nil
	}
	d := decoder{walker: walker[string]{src: string(o.raw)}, exact: true}
	return appendManifest(b, d.object())
}

// appendDeleted appends a deleted object: its kind, name and namespace.
func (o *Object) appendDeleted(b []byte) ([]byte, error) {
	if o.gvk == nil {
		return nil, errZeroObject
	}
	return appendReference(b, o.gvk, o.Namespace(), o.Name()), nil
}

// appendReference appends a manifest that holds only the kind, name and namespace of an object.
func appendReference(b []byte, gvk *schema.GroupVersionKind, namespace, name string) []byte {
	b = msgp.AppendMapHeader(b, 3)
	b = msgp.AppendString(msgp.AppendString(b, "apiVersion"), gvk.GroupVersion().String())
	b = msgp.AppendString(msgp.AppendString(b, "kind"), gvk.Kind)
	b = msgp.AppendString(b, "metadata")
	if namespace == "" {
		b = msgp.AppendMapHeader(b, 1)
	} else {
		b = msgp.AppendMapHeader(b, 2)
	}
	b = msgp.AppendString(msgp.AppendString(b, "name"), name)
	if namespace != "" {
		b = msgp.AppendString(msgp.AppendString(b, "namespace"), namespace)
	}
	return b
}

// appendInt appends an integer in the smallest encoding.
func appendInt(b []byte, i int64) []byte {
	if i < 0 {
		return msgp.AppendInt64(b, i)
	}
	return msgp.AppendUint64(b, uint64(i))
}

// checkGVK returns an error if a kind would not be read back as the same kind.
func checkGVK(gvk schema.GroupVersionKind) error {
	parsed, err := ParseGVK(FormatGVK(gvk))
	if err == nil && (parsed != gvk || !utf8.ValidString(FormatGVK(gvk))) {
		err = classed(ErrValue, "kind %q cannot be written", FormatGVK(gvk))
	}
	return err
}

// appendConfig appends the tracer config in its canonical form.
func appendConfig(b []byte, c *Config) (_ []byte, err error) {
	b = msgp.AppendMapHeader(b, 1)
	b = msgp.AppendMapHeader(msgp.AppendString(b, "trackedObjects"), uint32(len(c.TrackedObjects)))
	for _, gvk := range sortedKinds(c.TrackedObjects) {
		if err := checkGVK(gvk); err != nil {
			return nil, err
		}
		if b, err = appendTrackedObject(msgp.AppendString(b, FormatGVK(gvk)), c.TrackedObjects[gvk]); err != nil {
			return nil, fmt.Errorf("%s: %w", FormatGVK(gvk), err)
		}
	}
	return b, nil
}

func appendTrackedObject(b []byte, o TrackedObject) (_ []byte, err error) {
	fields := uint32(0)
	for _, there := range []bool{len(o.PodSpecTemplatePaths) > 0, o.SkipOwned, o.TrackLifecycle} {
		if there {
			fields++
		}
	}
	b = msgp.AppendMapHeader(b, fields)
	if len(o.PodSpecTemplatePaths) > 0 {
		b = msgp.AppendArrayHeader(msgp.AppendString(b, "podSpecTemplatePaths"), uint32(len(o.PodSpecTemplatePaths)))
		for _, path := range o.PodSpecTemplatePaths {
			if b, err = appendString(b, path); err != nil {
				return nil, err
			}
		}
	}
	if o.SkipOwned {
		b = msgp.AppendBool(msgp.AppendString(b, "skipOwned"), true)
	}
	if o.TrackLifecycle {
		b = msgp.AppendBool(msgp.AppendString(b, "trackLifecycle"), true)
	}
	return b, nil
}

// sortedKinds returns the keys of a map, sorted by their string form.
func sortedKinds[V any](m map[schema.GroupVersionKind]V) []schema.GroupVersionKind {
	return slices.SortedFunc(maps.Keys(m), func(a, b schema.GroupVersionKind) int {
		return cmp.Compare(FormatGVK(a), FormatGVK(b))
	})
}

// tail writes the part of the trace after the events. checkTail must have accepted it.
func (w *Writer) tail(t *Tail) error {
	b := msgp.AppendMapHeader(msgp.AppendString(nil, keyIndex), uint32(len(t.Index)))
	for _, gvk := range sortedKinds(t.Index) {
		names := t.Index[gvk]
		b = msgp.AppendMapHeader(msgp.AppendString(b, FormatGVK(gvk)), uint32(len(names)))
		for _, name := range slices.Sorted(maps.Keys(names)) {
			b = msgp.AppendUint64(msgp.AppendString(b, name), names[name])
			if err := w.write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	b = msgp.AppendMapHeader(msgp.AppendString(b, keyLifecycles), uint32(len(t.Lifecycles)))
	for _, owner := range slices.SortedFunc(maps.Keys(t.Lifecycles), comparePodOwners) {
		b = appendLifecycles(b, owner, t.Lifecycles[owner])
		if err := w.write(b); err != nil {
			return err
		}
		b = b[:0]
	}
	if t.Extension != nil {
		b = append(msgp.AppendString(b, keyExtension), t.Extension...)
	}
	return w.write(b)
}

func comparePodOwners(a, b PodOwner) int {
	return cmp.Or(cmp.Compare(FormatGVK(a.GVK), FormatGVK(b.GVK)), cmp.Compare(a.Name, b.Name))
}

// appendLifecycles appends an entry of the lifecycles.
func appendLifecycles(b []byte, owner PodOwner, pods map[uint64][]Lifecycle) []byte {
	b = appendOwner(b, owner)
	b = msgp.AppendMapHeader(b, uint32(len(pods)))
	for _, hash := range slices.Sorted(maps.Keys(pods)) {
		b = msgp.AppendArrayHeader(msgp.AppendUint64(b, hash), uint32(len(pods[hash])))
		for _, l := range pods[hash] {
			b = appendLifecycle(b, l)
		}
	}
	return b
}

func appendOwner(b []byte, owner PodOwner) []byte {
	b = msgp.AppendArrayHeader(b, 2)
	return msgp.AppendString(msgp.AppendString(b, FormatGVK(owner.GVK)), owner.Name)
}

func appendLifecycle(b []byte, l Lifecycle) []byte {
	switch l.State {
	case Running:
		return appendInt(msgp.AppendString(msgp.AppendMapHeader(b, 1), l.State.String()), l.Start)
	case Finished:
		b = msgp.AppendArrayHeader(msgp.AppendString(msgp.AppendMapHeader(b, 1), l.State.String()), 2)
		return appendInt(appendInt(b, l.Start), l.End)
	default:
		return msgp.AppendString(b, l.State.String())
	}
}

// checkTail returns an error if a trace with this tail could not be read back.
func checkTail(t *Tail) error {
	for gvk, names := range t.Index {
		if err := checkGVK(gvk); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		for name := range names {
			if _, err := appendString(nil, name); err != nil {
				return fmt.Errorf("index: %w", err)
			}
		}
	}
	for owner, pods := range t.Lifecycles {
		if err := errors.Join(checkOwner(owner), checkStates(pods)); err != nil {
			return fmt.Errorf("lifecycles of %s: %w", owner, err)
		}
	}
	if t.Extension == nil {
		return nil
	}
	return checkExtension(t.Extension)
}

func checkOwner(owner PodOwner) error {
	_, err := appendString(nil, owner.Name)
	return errors.Join(err, checkGVK(owner.GVK))
}

func checkStates(pods map[uint64][]Lifecycle) error {
	for _, list := range pods {
		for _, l := range list {
			if err := checkState(l); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkState(l Lifecycle) error {
	if l.State > Finished {
		return classed(ErrValue, "unknown state %s", l.State)
	}
	return nil
}

// checkExtension returns an error if b is not a valid value of x-simkube.
func checkExtension(b []byte) error {
	s := scanner{input: wholeInput(b)}
	_, err := s.extension()
	if err == nil && s.pos != len(b) {
		err = s.fail(s.pos, ErrTrailing, "want the end of the extension, got more bytes")
	}
	if err != nil {
		return err.in(keyExtension)
	}
	return nil
}
