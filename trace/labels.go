package trace

// Labels are an object's metadata.labels, looked up where they stand in its bytes. They are valid as long as the object is, and have the
// methods that selectors of k8s.io/apimachinery/pkg/labels match on. A label whose value is not a string is not there.
type Labels struct{ raw []byte }

// Labels gives the object's labels without decoding the object.
func (o *Object) Labels() Labels { return Labels{raw: o.raw[o.labels.start:o.labels.end]} }

// Lookup gives the value of a label, and whether there is one.
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

// Has tells whether there is a label.
func (l Labels) Has(label string) bool {
	_, exists := l.Lookup(label)
	return exists
}

// Get gives the value of a label, empty where there is none.
func (l Labels) Get(label string) string {
	value, _ := l.Lookup(label)
	return value
}

// Map gives all labels in a map of the caller's own.
func (l Labels) Map() map[string]string {
	m := map[string]string{}
	l.each(func(key []byte, t token[[]byte]) bool {
		m[string(key)] = string(t.data)
		return true
	})
	return m
}

// each gives the labels until it is told to stop. The bytes were checked when the object was made.
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
