package traceconvert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// The documents in a KWOK recording that are changes. All others are the initial objects.
const (
	patchGroup = "action.kwok.x-k8s.io/"
	patchKind  = "ResourcePatch"
)

// The methods of a change.
const (
	methodCreate = "create"
	methodPatch  = "patch"
	methodDelete = "delete"
)

// resourcePatch is a change in a KWOK recording.
type resourcePatch struct {
	Resource struct{ Group, Version, Resource string }
	Target   struct{ Name, Namespace string }
	// DurationNanosecond is the time since the first change.
	DurationNanosecond int64
	// Method is create, patch or delete.
	Method string
	// Template is the object, or a strategic merge patch of it.
	Template json.RawMessage
}

// offset matches the placeholder that KWOK writes for a time: nanoseconds since the start of the
// recording.
var offset = regexp.MustCompile(`\$\(time-offset-nanosecond (-?\d+)\)`)

// kwokWalk is one pass over a recording.
type kwokWalk struct {
	opts  *Options
	start time.Time
	kinds *kindFinder
	// objects are the current objects. named is the last object with a name, regardless of its kind.
	objects map[objectKey][]byte
	named   map[string][]byte
	yield   func(*change) error
}

func walkKWOK(in io.Reader, opts *Options, yield func(*change) error) error {
	w := &kwokWalk{
		opts: opts, start: opts.Start, kinds: newKindFinder(), yield: yield,
		objects: map[objectKey][]byte{}, named: map[string][]byte{},
	}
	if w.start.IsZero() {
		w.start = time.Unix(DefaultStart, 0)
	}
	docs := newDocuments(in)
	for {
		text, line, err := docs.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", opts.Name, err)
		}
		if err := w.document(text, line); err != nil {
			return err
		}
	}
}

func (w *kwokWalk) document(text []byte, line int) error {
	where := fmt.Sprintf("the document at line %d", line)
	fail := func(err error) error { return &Error{Name: w.opts.Name, Where: where, Err: err} }
	relative := false
	if bytes.Contains(text, []byte("$(time-offset-nanosecond ")) {
		relative = true
		text = offset.ReplaceAllFunc(text, w.absolute)
	}
	data, err := toJSON(text)
	if err != nil {
		return fail(err)
	}
	var head struct {
		APIVersion, Kind string
		Items            []json.RawMessage
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fail(fmt.Errorf("not a Kubernetes object: %w", err))
	}
	switch {
	case head.APIVersion == "" || head.Kind == "":
		return fail(errors.New("not a Kubernetes object: apiVersion or kind is missing"))
	case head.Kind == patchKind && strings.HasPrefix(head.APIVersion, patchGroup):
		return w.patch(data, relative, where)
	case strings.HasSuffix(head.Kind, "List") && head.Items != nil:
		for i, item := range head.Items {
			if err := w.object(item, relative, fmt.Sprintf("%s, item %d", where, i)); err != nil {
				return err
			}
		}
		return nil
	}
	return w.object(data, relative, where)
}

// absolute returns the time for a placeholder.
func (w *kwokWalk) absolute(placeholder []byte) []byte {
	digits := offset.FindSubmatch(placeholder)[1]
	ns, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return placeholder
	}
	t := w.start.UTC().Add(time.Duration(ns))
	if t.Nanosecond() == 0 {
		return []byte(t.Format(time.RFC3339))
	}
	return []byte(t.Format("2006-01-02T15:04:05.000000Z07:00"))
}

// object handles an initial object.
func (w *kwokWalk) object(data []byte, relative bool, where string) error {
	fail := func(err error) error { return &Error{Name: w.opts.Name, Where: where, Err: err} }
	gvk, name, err := identify(data)
	if err != nil {
		return fail(err)
	}
	w.kinds.seen(gvk, data)
	w.keep(gvk, name, data)
	return w.yield(&change{state: true, relative: relative, gvk: gvk, name: name, json: data, where: where})
}

func (w *kwokWalk) keep(gvk schema.GroupVersionKind, name string, data []byte) {
	w.objects[key(gvk, name)] = data
	w.named[name] = data
}

func (w *kwokWalk) patch(data []byte, relative bool, where string) error {
	fail := func(err error) error { return &Error{Name: w.opts.Name, Where: where, Err: err} }
	var p resourcePatch
	if err := json.Unmarshal(data, &p); err != nil {
		return fail(fmt.Errorf("invalid %s: %w", patchKind, err))
	}
	if p.Target.Name == "" {
		return fail(errors.New("target.name is missing"))
	}
	resource := schema.GroupVersionResource{Group: p.Resource.Group, Version: p.Resource.Version, Resource: p.Resource.Resource}
	c := &change{at: p.DurationNanosecond / 1e6, sinceFirst: true, relative: relative, name: trace.NamespacedName(p.Target.Namespace, p.Target.Name), where: where}
	var err error
	switch p.Method {
	case methodCreate:
		c.created = true
		c.json = p.Template
		if c.gvk, _, err = identify(c.json); err != nil {
			return fail(fmt.Errorf("template: %w", err))
		}
		w.kinds.serves(resource, c.gvk)
		w.kinds.seen(c.gvk, c.json)
	case methodPatch:
		if c.gvk, err = w.kinds.find(resource); err != nil {
			return fail(err)
		}
		if c.json, err = w.patched(c, p.Template); err != nil {
			return fail(fmt.Errorf("patch %s %s: %w", trace.FormatGVK(c.gvk), c.name, err))
		}
	case methodDelete:
		if c.gvk, err = w.kinds.find(resource); err != nil {
			return fail(err)
		}
		delete(w.objects, key(c.gvk, c.name))
		delete(w.named, c.name)
		return w.yield(c)
	default:
		return fail(fmt.Errorf("method %q: want create, patch or delete", p.Method))
	}
	if gvk, name, err := identify(c.json); err != nil || gvk.GroupKind() != c.gvk.GroupKind() || name != c.name {
		return fail(errors.Join(fmt.Errorf("the %s does not make a %s %s", p.Method, trace.FormatGVK(c.gvk), c.name), err))
	}
	w.keep(c.gvk, c.name, c.json)
	return w.yield(c)
}

// patched returns an object after a patch.
func (w *kwokWalk) patched(c *change, template json.RawMessage) ([]byte, error) {
	base := w.objects[key(c.gvk, c.name)]
	// KWOK identifies objects by their names alone: the recorded change of an object may be a patch of
	// an object of another kind with the same name.
	var kind struct{ APIVersion, Kind *string }
	if err := json.Unmarshal(template, &kind); err != nil {
		return nil, err
	}
	if kind.Kind != nil || kind.APIVersion != nil {
		base = w.named[c.name]
	}
	if base == nil {
		return nil, errors.New("the recording has no such object to patch")
	}
	return applyPatch(c.gvk, base, template)
}

// identify returns the kind and the namespaced name of an object.
func identify(data []byte) (gvk schema.GroupVersionKind, name string, err error) {
	var head struct {
		APIVersion, Kind string
		Metadata         struct{ Name, Namespace string }
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return gvk, "", fmt.Errorf("not a Kubernetes object: %w", err)
	}
	gv, err := schema.ParseGroupVersion(head.APIVersion)
	if err != nil {
		return gvk, "", err
	}
	gvk = gv.WithKind(head.Kind)
	if parsed, err := trace.ParseGVK(trace.FormatGVK(gvk)); err != nil || parsed != gvk {
		return gvk, "", fmt.Errorf("apiVersion %q and kind %q are not a valid kind", head.APIVersion, head.Kind)
	}
	if head.Metadata.Name == "" {
		return gvk, "", errors.New("metadata.name is missing")
	}
	return gvk, trace.NamespacedName(head.Metadata.Namespace, head.Metadata.Name), nil
}
