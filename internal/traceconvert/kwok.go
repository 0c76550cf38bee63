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
	rec   *recording
	start time.Time
	kinds *kindFinder
	// objects are the current objects. named is the last object with a name, regardless of its kind.
	objects map[objectKey][]byte
	named   map[string][]byte
	yield   func(*change) error
}

func walkKWOK(in io.Reader, rec *recording, yield func(*change) error) error {
	w := &kwokWalk{
		rec: rec, start: rec.Start, kinds: newKindFinder(), yield: yield,
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
			return fmt.Errorf("read %s: %w", rec.Name, err)
		}
		if err := w.document(text, line); err != nil {
			return err
		}
	}
}

func (w *kwokWalk) document(text []byte, line int) error {
	where := fmt.Sprintf("the document at line %d", line)
	fail := func(err error) error { return &Error{Name: w.rec.Name, Where: where, Err: err} }
	relative := false
	if bytes.Contains(text, []byte("$(time-offset-nanosecond ")) {
		relative = true
		text = offset.ReplaceAllFunc(text, w.absolute)
	}
	data, duplicate, err := toJSON(text, line)
	if err != nil {
		return fail(err)
	}
	if duplicate != "" {
		w.rec.note(fmt.Sprintf("%s: %s (the last value is used, as by kubectl apply)", w.rec.Name, duplicate))
	}
	var head listHead
	if err := json.Unmarshal(data, &head); err != nil {
		return fail(fmt.Errorf("not a Kubernetes object: %w", err))
	}
	switch {
	case string(data) == "null":
		return nil // as by kubectl apply
	case head.APIVersion == "" || head.Kind == "":
		return fail(errors.New("not a Kubernetes object: apiVersion or kind is missing"))
	case head.Kind == patchKind && strings.HasPrefix(head.APIVersion, patchGroup):
		return w.patch(data, relative, where)
	case head.isList():
		return w.list(&head, relative, where)
	}
	return w.object(data, relative, where)
}

// listHead is the part of an object that shows whether it is a list of others.
type listHead struct {
	APIVersion, Kind string
	Items            []json.RawMessage
}

func (h *listHead) isList() bool {
	return strings.HasSuffix(h.Kind, "List") && h.Items != nil || h.APIVersion == "v1" && h.Kind == "List"
}

// list handles the objects in a list, which may be lists.
func (w *kwokWalk) list(list *listHead, relative bool, where string) error {
	for i, item := range list.Items {
		where := fmt.Sprintf("%s, item %d", where, i)
		var head listHead
		if err := json.Unmarshal(item, &head); err != nil {
			return &Error{Name: w.rec.Name, Where: where, Err: fmt.Errorf("not a Kubernetes object: %w", err)}
		}
		err := error(nil)
		if head.isList() {
			err = w.list(&head, relative, where)
		} else {
			err = w.object(withKindOf(list, &head, item), relative, where)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// withKindOf returns an item of a list with its kind. An API server leaves out the kind of the
// items of a list such as a PodList.
func withKindOf(list, head *listHead, item json.RawMessage) []byte {
	kind := strings.TrimSuffix(list.Kind, "List")
	var object map[string]json.RawMessage
	if head.APIVersion != "" || head.Kind != "" || kind == "" || json.Unmarshal(item, &object) != nil || object == nil {
		return item
	}
	object["apiVersion"], object["kind"] = []byte(strconv.Quote(list.APIVersion)), []byte(strconv.Quote(kind))
	complete, err := json.Marshal(object)
	if err != nil {
		return item // which has no kind, an error that the caller returns
	}
	return complete
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
	fail := func(err error) error { return &Error{Name: w.rec.Name, Where: where, Err: err} }
	gvk, name, data, err := w.rec.identify(data, where)
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
	fail := func(err error) error { return &Error{Name: w.rec.Name, Where: where, Err: err} }
	var p resourcePatch
	if err := json.Unmarshal(data, &p); err != nil {
		return fail(fmt.Errorf("invalid %s: %w", patchKind, err))
	}
	if p.Target.Name == "" {
		return fail(errors.New("target.name is missing"))
	}
	resource := schema.GroupVersionResource{Group: p.Resource.Group, Version: p.Resource.Version, Resource: p.Resource.Resource}
	c := &change{at: p.DurationNanosecond / 1e6, sinceFirst: true, relative: relative, where: where}
	target := func() string {
		return trace.NamespacedName(w.rec.scopes.namespace(c.gvk, p.Target.Namespace, true), p.Target.Name)
	}
	var err error
	switch p.Method {
	case methodCreate:
		c.created = true
		if c.gvk, _, c.json, err = w.rec.identify(p.Template, where); err != nil {
			return fail(fmt.Errorf("template: %w", err))
		}
		c.name = target()
		w.kinds.serves(resource, c.gvk)
		w.kinds.seen(c.gvk, c.json)
	case methodPatch:
		if c.gvk, err = w.kinds.find(resource); err != nil {
			return fail(err)
		}
		c.name = target()
		if c.json, err = w.patched(c, p.Template); err != nil {
			return fail(fmt.Errorf("patch %s %s: %w", trace.FormatGVK(c.gvk), c.name, err))
		}
	case methodDelete:
		if c.gvk, err = w.kinds.find(resource); err != nil {
			return fail(err)
		}
		c.name = target()
		delete(w.objects, key(c.gvk, c.name))
		delete(w.named, c.name)
		return w.yield(c)
	default:
		return fail(fmt.Errorf("method %q: want create, patch or delete", p.Method))
	}
	if gvk, name, _, err := w.rec.identify(c.json, where); err != nil || gvk.GroupKind() != c.gvk.GroupKind() || name != c.name {
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
