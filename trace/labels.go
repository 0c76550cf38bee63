package trace

// Labels are the metadata.labels of an object, read directly from its bytes. They are valid as long
// as the object is. They have the methods that selectors of k8s.io/apimachinery/pkg/labels match
// on. A label whose value is not a string is ignored.
type Labels struct{ raw []byte }

// Labels returns the object's labels without decoding the object.
func (o *Object) Labels() Labels { return Labels{raw: o.raw[o.labels.start:o.labels.end]} }

// Lookup returns the value of a label and whether it exists.
func (l Labels) Lookup(label string) (value string, exists bool) {
	l.each(func(key []byte, t token[[]byte]) bool {
		if string(key) != label {
			return true
		}
		value, exists = string(t.data), true
		return false
	})
	return value, exists
}

// Has reports whether a label exists.
func (l Labels) Has(label string) bool {
	_, exists := l.Lookup(label)
	return exists
}

// Get returns the value of a label, or "" if it does not exist.
func (l Labels) Get(label string) string {
	value, _ := l.Lookup(label)
	return value
}

// Map returns a new map with all labels.
func (l Labels) Map() map[string]string {
	m := map[string]string{}
	l.each(func(key []byte, t token[[]byte]) bool {
		m[string(key)] = string(t.data)
		return true
	})
	return m
}

// each yields the labels. The bytes were checked when the object was created.
func (l Labels) each(yield func(key []byte, value token[[]byte]) bool) {
	if len(l.raw) == 0 || describe(l.raw[0]) != "a map" {
		return
	}
	w := walker[[]byte]{src: l.raw}
	for range w.next().n {
		key := w.next().data
		at := w.pos
		if t := w.next(); t.kind == tokenString {
			if !yield(key, t) {
				return
			}
			continue
		}
		w.pos = at
		w.skip()
	}
}
