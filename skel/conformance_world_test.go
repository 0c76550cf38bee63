package skel_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	yaml "sigs.k8s.io/yaml/goyaml.v3"

	"simkube.io/simkube/trace"
)

// world is a trace as a script writes it. Parts that are nil were not written and are derived from
// the others.
type world struct {
	events     []trace.Event
	config     *trace.Config
	index      trace.Index
	lifecycles trace.Lifecycles
	pods       []trace.PodTimes
}

// parseWorld parses the events of a section; "same" means the previous world.
func parseWorld(s *section, same *world) (*world, error) {
	switch s.inline {
	case "same":
		if same == nil {
			return nil, fmt.Errorf("there is nothing before that could be the same")
		}
		w := *same
		return &w, nil
	case "", "none":
	default:
		return nil, fmt.Errorf("want nothing, same or none behind the colon, got %q", s.inline)
	}
	w := &world{}
	for i := 0; i < len(s.body); i++ {
		line := s.body[i]
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "#"):
			continue
		case strings.HasPrefix(line, "@"):
			at, err := strconv.ParseInt(line[1:], 10, 64)
			if err != nil {
				return nil, err
			}
			w.events = append(w.events, trace.Event{Time: at})
			continue
		case len(w.events) == 0:
			return nil, fmt.Errorf("%q stands before any event", line)
		}
		event := &w.events[len(w.events)-1]
		switch {
		case strings.HasPrefix(line, "+ "):
			text := []string{line[2:]}
			for i+1 < len(s.body) && strings.HasPrefix(s.body[i+1], "  ") {
				i++
				text = append(text, s.body[i][2:])
			}
			object, err := parseManifest(text)
			if err != nil {
				return nil, err
			}
			event.Applied = append(event.Applied, object)
		case strings.HasPrefix(line, "- "):
			gvk, name, err := parseIdentity(strings.Fields(line[2:]))
			if err != nil {
				return nil, err
			}
			object, err := trace.NewDeleted(gvk, name)
			if err != nil {
				return nil, err
			}
			event.Deleted = append(event.Deleted, object)
		default:
			return nil, fmt.Errorf("want an event, an object or a deleted object, got %q", line)
		}
	}
	return w, nil
}

// add parses a section that follows the events.
func (w *world) add(s *section) error {
	switch s.name {
	case "lifecycles":
		w.lifecycles = trace.Lifecycles{}
	case "pods":
		w.pods = []trace.PodTimes{}
	case "index":
		w.index = trace.Index{}
	case "config":
		config, _, err := trace.ParseConfig([]byte(s.text()))
		w.config = config
		return err
	}
	for _, line := range s.entries() {
		head, list, _ := strings.Cut(line, ": ")
		fields := strings.Fields(head)
		gvk, name, err := parseIdentity(fields[:min(2, len(fields))])
		if err != nil {
			return err
		}
		owner := trace.PodOwner{GVK: gvk, Name: name}
		var numbers []any
		if err := yaml.Unmarshal([]byte(list), &numbers); err != nil || len(fields) > 3 {
			return fmt.Errorf("%q: %w", line, err)
		}
		switch s.name {
		case "index":
			if w.index[gvk] == nil {
				w.index[gvk] = map[string]uint64{}
			}
			w.index[gvk][name] = uint64(numbers[0].(int))
		case "lifecycles":
			hash, err := strconv.ParseUint(fields[2], 10, 64)
			if err != nil {
				return err
			}
			if w.lifecycles[owner] == nil {
				w.lifecycles[owner] = map[uint64][]trace.Lifecycle{}
			}
			for _, entry := range numbers {
				w.lifecycles[owner][hash] = append(w.lifecycles[owner][hash], parseLifecycle(entry.([]any)))
			}
		case "pods":
			namespace, _ := trace.SplitNamespacedName(name)
			pod := trace.PodTimes{Owner: owner, Namespace: namespace, Name: fields[2], Hash: 7}
			pod.Created, pod.Started = int64(numbers[0].(int)), int64(numbers[1].(int))
			w.pods = append(w.pods, pod)
		}
	}
	return nil
}

// parseLifecycle converts [], [start] or [start, end].
func parseLifecycle(times []any) trace.Lifecycle {
	switch len(times) {
	case 0:
		return trace.Lifecycle{State: trace.Empty}
	case 1:
		return trace.Lifecycle{State: trace.Running, Start: int64(times[0].(int))}
	default:
		return trace.Lifecycle{State: trace.Finished, Start: int64(times[0].(int)), End: int64(times[1].(int))}
	}
}

func parseIdentity(fields []string) (schema.GroupVersionKind, string, error) {
	if len(fields) != 2 {
		return schema.GroupVersionKind{}, "", fmt.Errorf("want a kind and a name, got %q", fields)
	}
	gvk, err := trace.ParseGVK(fields[0])
	return gvk, fields[1], err
}

// parseManifest parses YAML. The first line may be a kind and a name, "v1.Pod n/p", in place of the
// corresponding fields.
func parseManifest(lines []string) (trace.Object, error) {
	manifest := map[string]any{}
	first := strings.SplitN(lines[0], " ", 3)
	if gvk, name, err := parseIdentity(first[:min(2, len(first))]); err == nil && !strings.HasPrefix(lines[0], "{") {
		lines[0] = strings.TrimPrefix(strings.Join(first[2:], " "), " ")
		apiVersion, kind := gvk.ToAPIVersionAndKind()
		namespace, bare := trace.SplitNamespacedName(name)
		metadata := map[string]any{"name": bare}
		if namespace != "" {
			metadata["namespace"] = namespace
		}
		manifest["apiVersion"], manifest["kind"], manifest["metadata"] = apiVersion, kind, metadata
	}
	var rest any
	if err := yaml.Unmarshal([]byte(strings.Join(lines, "\n")), &rest); err != nil {
		return trace.Object{}, fmt.Errorf("%q: %w", strings.Join(lines, "\n"), err)
	}
	if rest != nil {
		fields, ok := jsonValue(rest).(map[string]any)
		if !ok {
			return trace.Object{}, fmt.Errorf("want a map, got %q", strings.Join(lines, "\n"))
		}
		metadata, _ := manifest["metadata"].(map[string]any)
		more, _ := fields["metadata"].(map[string]any)
		if metadata != nil && more != nil {
			maps.Copy(metadata, more)
			fields["metadata"] = metadata
		}
		maps.Copy(manifest, fields)
	}
	return trace.NewObject(&unstructured.Unstructured{Object: manifest})
}

// jsonValue converts a value that was decoded from YAML to one that an object can hold. Integers
// and floats remain distinct.
func jsonValue(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case map[string]any:
		for key, value := range v {
			v[key] = jsonValue(value)
		}
	case []any:
		for i, value := range v {
			v[i] = jsonValue(value)
		}
	}
	return v
}

// trace returns the trace that a world describes.
func (w *world) trace() (*trace.Trace, error) {
	t := &trace.Trace{Events: slices.Clone(w.events), Index: trace.Index{}, Lifecycles: w.lifecycles}
	t.Config.TrackedObjects = map[schema.GroupVersionKind]trace.TrackedObject{}
	for i := range t.Events {
		t.Index.Record(&t.Events[i])
		for _, object := range slices.Concat(t.Events[i].Applied, t.Events[i].Deleted) {
			t.Config.TrackedObjects[object.GVK()] = trace.TrackedObject{}
		}
	}
	if w.config != nil {
		t.Config = *w.config
	}
	if w.index != nil {
		t.Index = w.index
	}
	if t.Lifecycles == nil {
		t.Lifecycles = trace.Lifecycles{}
	}
	if len(w.pods) > 0 {
		extension := trace.Extension{Pods: w.pods}
		var err error
		if t.Extension, err = extension.Encode(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// describe returns a trace as text, one item per line. The texts of two traces differ only if the
// difference matters to the language.
func describe(t *trace.Trace) (string, error) {
	var b strings.Builder
	for i := range t.Events {
		e := &t.Events[i]
		fmt.Fprintf(&b, "@%d\n", e.Time)
		for j := range e.Applied {
			u, err := e.Applied[j].Unstructured()
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "+ %s\n", valueText(u.Object))
		}
		for j := range e.Deleted {
			fmt.Fprintf(&b, "- %s %s\n", trace.FormatGVK(e.Deleted[j].GVK()), e.Deleted[j].NamespacedName())
		}
	}
	var lines []string
	for gvk, names := range t.Index {
		for name, hash := range names {
			lines = append(lines, fmt.Sprintf("index %s %s %d", trace.FormatGVK(gvk), name, hash))
		}
	}
	for owner, pods := range t.Lifecycles {
		for hash, list := range pods {
			lines = append(lines, fmt.Sprintf("lifecycles %s %d %v", owner, hash, list))
		}
	}
	if t.Extension != nil {
		extension, err := trace.ParseExtension(t.Extension)
		if err != nil {
			return "", err
		}
		for i := range extension.Pods {
			p := &extension.Pods[i]
			lines = append(lines, fmt.Sprintf("pod %s %s/%s %d %d", p.Owner, p.Namespace, p.Name, p.Created, p.Started))
		}
	}
	slices.Sort(lines)
	b.WriteString(strings.Join(lines, "\n"))
	return b.String(), nil
}

// valueText returns a value as JSON in which floats are distinguishable from integers.
func valueText(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, valueText(key)+": "+valueText(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		var parts []string
		for _, element := range v {
			parts = append(parts, valueText(element))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if v == math.Trunc(v) && !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return text
	default:
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			return err.Error()
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
}
