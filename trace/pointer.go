package trace

import "errors"

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
func (l *Location) Set(v any) { l.Value = v; l.set(v) }

// ResolvePaths finds the places in an object that a path of a tracer config stands for: a JSON
// Pointer (RFC 6901) in which a segment "*" stands for every element of the array there. A place that
// does not exist or is null is left out. A "*" on something that is not an array, or a key in something
// that is neither a map nor an array, is an error that says where.
func ResolvePaths(obj map[string]any, pointer string) ([]Location, error) {
	return nil, errors.ErrUnsupported
}
