package trace

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// ParseConfig reads a tracer's configuration file, YAML or JSON. It is strict: an unknown field, an
// invalid kind or path, or a path that contradicts the built-in one of a known kind is an error.
// The error lists all problems. The warnings are meant for the author of the file.
func ParseConfig(data []byte) (config *Config, warnings []string, err error) {
	var doc any
	if err := yaml.UnmarshalStrict(data, &doc); err != nil {
		return nil, nil, fmt.Errorf("read the tracer config: %w", err)
	}
	f := configFile{config: Config{TrackedObjects: map[schema.GroupVersionKind]TrackedObject{}}}
	f.root(doc)
	if len(f.problems) > 0 {
		return nil, f.warnings, fmt.Errorf("read the tracer config: %w", errors.Join(f.problems...))
	}
	return &f.config, f.warnings, nil
}

// configFile converts a parsed file to a Config and collects all errors.
type configFile struct {
	config   Config
	warnings []string
	problems []error
}

func (f *configFile) problem(class error, format string, args ...any) {
	f.problems = append(f.problems, classed(class, format, args...))
}

func (f *configFile) root(doc any) {
	fields, ok := doc.(map[string]any)
	if !ok {
		f.problem(ErrType, "want a map with the key trackedObjects, got %s", describeJSON(doc))
		return
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if key != "trackedObjects" {
			f.problem(ErrValue, "%s: unknown field: must be trackedObjects", key)
		}
	}
	tracked, there := fields["trackedObjects"]
	if !there {
		f.problem(ErrMissingKey, "trackedObjects is missing: nothing would be recorded")
		return
	}
	objects, ok := tracked.(map[string]any)
	if !ok {
		f.problem(ErrType, "trackedObjects: want a map, got %s", describeJSON(tracked))
		return
	}
	if len(objects) == 0 {
		f.warnings = append(f.warnings, "trackedObjects is empty: nothing will be recorded")
	}
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		f.object(key, objects[key])
	}
}

// object reads one entry of trackedObjects.
func (f *configFile) object(key string, value any) {
	at := "trackedObjects[" + key + "]"
	gvk, err := ParseGVK(key)
	if err != nil {
		f.problem(ErrValue, "%s: %v", at, err)
		return
	}
	if _, ok := f.config.TrackedObjects[gvk]; ok {
		f.problem(ErrDuplicateKey, "%s: duplicate kind", at)
		return
	}
	var object TrackedObject
	if value != nil {
		fields, ok := value.(map[string]any)
		if !ok {
			f.problem(ErrType, "%s: want a map, got %s", at, describeJSON(value))
			return
		}
		f.fields(at, fields, &object)
	}
	f.check(at, gvk, object)
	f.config.TrackedObjects[gvk] = object
}

func (f *configFile) fields(at string, fields map[string]any, object *TrackedObject) {
	var old []string
	_, hasList := fields["podSpecTemplatePaths"]
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value, at := fields[name], at+"."+name
		switch name {
		case "podSpecTemplatePaths":
			object.PodSpecTemplatePaths = f.paths(at, value)
		case "podSpecTemplatePath":
			old = f.paths(at, []any{value})
			warning := at + " is deprecated: use podSpecTemplatePaths, a list"
			if hasList {
				warning = at + " is deprecated, and ignored because podSpecTemplatePaths is set"
			}
			f.warnings = append(f.warnings, warning)
		case "trackLifecycle":
			object.TrackLifecycle = f.bool(at, value)
		case "skipOwned":
			object.SkipOwned = f.bool(at, value)
		default:
			f.problem(ErrValue, "%s: unknown field: must be podSpecTemplatePaths, skipOwned or trackLifecycle", at)
		}
	}
	if !hasList {
		object.PodSpecTemplatePaths = old
	}
}

func (f *configFile) bool(at string, value any) bool {
	b, ok := value.(bool)
	if !ok {
		f.problem(ErrType, "%s: want true or false, got %s", at, describeJSON(value))
	}
	return b
}

func (f *configFile) paths(at string, value any) (paths []string) {
	list, ok := value.([]any)
	if !ok {
		f.problem(ErrType, "%s: want a list, got %s", at, describeJSON(value))
		return nil
	}
	for i, e := range list {
		path, ok := e.(string)
		if !ok {
			f.problem(ErrType, "%s: element %d: want a string, got %s", at, i, describeJSON(e))
			continue
		}
		if _, err := splitPointer(path); err != nil {
			f.problem(ErrValue, "%s: %v", at, err)
		}
		if slices.Contains(paths, path) {
			f.problem(ErrDuplicateKey, "%s: duplicate %q", at, path)
		}
		paths = append(paths, path)
	}
	return paths
}

// check compares an entry with the built-in paths of its kind.
func (f *configFile) check(at string, gvk schema.GroupVersionKind, object TrackedObject) {
	known, ok := knownPath(gvk)
	switch {
	case !ok && object.TrackLifecycle && len(object.PodSpecTemplatePaths) == 0:
		f.problem(ErrMissingKey, "%s: trackLifecycle requires podSpecTemplatePaths, which are optional only for known kinds", at)
	case ok && len(object.PodSpecTemplatePaths) > 0:
		allowed := []string{known}
		if gvk.Kind == "ReplicaSet" {
			allowed = append(allowed, recordedReplicaSetPath)
		}
		if len(object.PodSpecTemplatePaths) > 1 || !slices.Contains(allowed, object.PodSpecTemplatePaths[0]) {
			f.problem(ErrValue, "%s: podSpecTemplatePaths [%s] contradict the built-in %q; remove them",
				at, strings.Join(object.PodSpecTemplatePaths, ", "), known)
		}
	}
}

// recordedReplicaSetPath is the path of ReplicaSets in existing traces and their configs. It is
// accepted and replaced by the correct path.
const recordedReplicaSetPath = "/spec"

// describeJSON returns the type of a JSON value for error messages.
func describeJSON(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return "a number"
}
