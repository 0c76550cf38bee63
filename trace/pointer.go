package trace

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// Location is a place in an object that a path led to.
type Location struct {
	// Pointer is the JSON Pointer of this place; it has no "*" segments.
	Pointer string
	// Value is what stands there. A map or slice is the one in the object, not a copy.
	Value any

	set func(any)
}

// Set puts v in the place of Value, in the object the path was resolved in. At the root, which
// cannot be replaced, v must be a map: the object gets its content.
func (l *Location) Set(v any) {
	l.set(v)
	l.Value = v
}

// ResolvePaths finds the places in an object that a path of a tracer config stands for: a JSON
// Pointer (RFC 6901) in which a segment "*" stands for every element of the array there. A place that
// does not exist or is null is left out: templates can be optional. A "*" on something that is not an
// array, a key on something that is neither a map nor an array, and a number that is no index of the
// array are errors that say where.
func ResolvePaths(obj map[string]any, pointer string) ([]Location, error) {
	segments, err := splitPointer(pointer)
	if err != nil {
		return nil, err
	}
	root := Location{Value: obj, set: func(v any) {
		content, _ := v.(map[string]any)
		content = maps.Clone(content) // v may be obj
		clear(obj)
		maps.Copy(obj, content)
	}}
	found := []Location{root}
	for _, segment := range segments {
		var deeper []Location
		for i := range found {
			next, err := found[i].step(segment)
			if err != nil {
				return nil, fmt.Errorf("path %q: at %q: %w", pointer, found[i].Pointer, err)
			}
			deeper = append(deeper, next...)
		}
		found = deeper
	}
	return found, nil
}

// step gives the places one segment deeper.
func (l *Location) step(segment string) ([]Location, error) {
	switch v := l.Value.(type) {
	case []any:
		return l.elements(v, segment)
	case map[string]any:
		if segment == "*" {
			return nil, classed(ErrType, "want an array for \"*\", got a map")
		}
		key := unescapePointer.Replace(segment)
		if v[key] == nil {
			return nil, nil
		}
		next := Location{Pointer: l.Pointer + "/" + segment, Value: v[key], set: func(e any) { v[key] = e }}
		return []Location{next}, nil
	}
	return nil, classed(ErrType, "want a map or an array for %q, got %s", segment, describeJSON(l.Value))
}

func (l *Location) elements(array []any, segment string) ([]Location, error) {
	first, end := 0, len(array)
	if segment != "*" {
		i, err := strconv.ParseUint(segment, 10, 31)
		if err != nil || strconv.FormatUint(i, 10) != segment {
			return nil, classed(ErrType, "want \"*\" or an index for an array, got %q", segment)
		}
		first = min(int(i), len(array))
		end = min(first+1, len(array))
	}
	var found []Location
	for i := first; i < end; i++ {
		if array[i] != nil {
			pointer := l.Pointer + "/" + strconv.Itoa(i)
			found = append(found, Location{Pointer: pointer, Value: array[i], set: func(e any) { array[i] = e }})
		}
	}
	return found, nil
}

// splitPointer gives the segments of a JSON Pointer, still escaped.
func splitPointer(pointer string) ([]string, error) {
	if pointer == "" {
		return nil, nil
	}
	if pointer[0] != '/' {
		return nil, classed(ErrValue, "path %q: want a JSON Pointer, which is empty or begins with a slash", pointer)
	}
	segments := strings.Split(pointer[1:], "/")
	for _, segment := range segments {
		for rest := segment; ; {
			_, after, found := strings.Cut(rest, "~")
			if !found {
				break
			}
			if after == "" || after[0] != '0' && after[0] != '1' {
				return nil, classed(ErrValue, "path %q: after a ~ want 0 or 1", pointer)
			}
			rest = after
		}
	}
	return segments, nil
}

// unescapePointer gives the key a segment stands for.
var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")
