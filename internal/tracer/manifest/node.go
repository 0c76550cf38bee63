package manifest

// Node is a node with the fields that the scheduler uses.
type Node struct {
	Head Head
	// Shape is a canonical msgpack map of labels, taints, unschedulable, capacity and allocatable,
	// without those that the node does not have. Heartbeats do not change it.
	Shape []byte
}

// ParseNode parses a node's JSON.
func ParseNode(json []byte) (Node, error) {
	var w writer
	w.reset(json)
	var h headParts
	if err := w.shape(&h); err != nil {
		return Node{}, err
	}
	return Node{Head: h.head(nil), Shape: w.out}, nil
}

// shape writes a node's shape, and reads its head.
func (w *writer) shape(h *headParts) *Error {
	if err := w.open('{', "an object"); err != nil {
		return err
	}
	m := w.newMap()
	for first := true; ; first = false {
		key, more, err := w.key(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch string(key) {
		case "metadata":
			start := w.pos
			if err = h.read(&w.scanner, 1); err == nil {
				w.pos = start
				err = w.pick(&m, "labels")
			}
		case "spec":
			err = w.pick(&m, "taints", "unschedulable")
		case "status":
			err = w.pick(&m, "capacity", "allocatable")
		default:
			err = w.skip(1)
		}
		if err != nil {
			return err
		}
	}
	m.end(w)
	return w.end()
}

// pick reads a map or null, and writes those of its fields that are wanted and not null.
func (w *writer) pick(m *mapWriter, wanted ...string) *Error {
	return w.fields(func(key []byte) *Error {
		for _, name := range wanted {
			if string(key) != name {
				continue
			}
			if none, err := w.null(); none || err != nil {
				return err
			}
			m.key(w, key)
			if err := w.value(nil, 2); err != nil {
				return err
			}
			m.done(w)
			return nil
		}
		return w.skip(2)
	})
}
