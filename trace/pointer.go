package trace

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// Location is a place in an object that a path resolves to.
type Location struct {
	// Pointer is the JSON Pointer of the place, without "*" segments.
	Pointer string
	// Value is the value at the place. A map or slice is the one in the object, not a copy.
	Value any

	set func(any)
}

// Set replaces Value by v in the object in which the path was resolved. The root cannot be
// replaced: there, v must be a map, and the object is set to its content.
func (l *Location) Set(v any) {
	l.set(v)
	l.Value = v
}

// ResolvePaths returns the places in an object that match a path of a tracer config: a JSON Pointer
// (RFC 6901) in which a segment "*" matches every element of an array. A place that does not exist
// or is null is left out, because templates can be optional. It is an error if a "*" is applied to
// something that is not an array, a key to something that is neither a map nor an array, or if a
// segment is not an index of the array. The error contains the place.
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

// step returns the places one segment deeper.
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

// splitPointer returns the segments of a JSON Pointer, still escaped.
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

// unescapePointer decodes a segment.
var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")
