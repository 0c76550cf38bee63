package manifest

// Head is the part of an object's metadata that the tracer uses.
type Head struct {
	// Namespace is empty for a cluster-scoped object.
	Namespace, Name, UID, ResourceVersion string
	// CreationTimestamp and DeletionTimestamp are in unix seconds, 0 if they are not set. An object
	// with a DeletionTimestamp is being deleted.
	CreationTimestamp, DeletionTimestamp int64
	// Owners are metadata.ownerReferences. The strings of a Head share their memory, which is retained
	// as long as one of them is.
	Owners []OwnerReference
}

// OwnerReference is one of metadata.ownerReferences.
type OwnerReference struct {
	APIVersion, Kind, Name, UID string
	// Controller is whether the owner is the managing controller of the object.
	Controller bool
}

// ParseHead parses an object's metadata, and nothing after it. API servers write the metadata
// first, so this is a cheap way to determine whether an object is of interest. Missing fields are
// empty. Owners is nil if there are none; it is not shared.
func ParseHead(json []byte) (Head, error) {
	s := scanner{data: json}
	var scratch [512]byte
	h := headParts{arena: scratch[:0]}
	if err := s.open('{', "an object"); err != nil {
		return Head{}, err
	}
	for first := true; ; first = false {
		key, more, err := s.key(first)
		switch {
		case err != nil:
			return Head{}, err
		case !more:
			return h.head(nil), nil
		case string(key) != "metadata":
			err = s.skip(1)
		default:
			if err = h.read(&s, 1); err == nil {
				return h.head(nil), nil
			}
		}
		if err != nil {
			return Head{}, err
		}
	}
}

// headParts collects a Head while a scanner reads an object's metadata.
type headParts struct {
	// arena has the text of all strings, so that they can be allocated at once.
	arena                         []byte
	namespace, name, uid, version span
	created, deleted              int64
	owners                        []ownerParts
}

type ownerParts struct {
	apiVersion, kind, name, uid span
	controller                  bool
}

// span is a part of an arena.
type span struct{ start, end int }

// reset clears everything but the buffers.
func (h *headParts) reset() {
	*h = headParts{arena: h.arena[:0], owners: h.owners[:0]}
}

// read reads metadata that is nested in depth maps and arrays.
func (h *headParts) read(s *scanner, depth int) *Error {
	h.reset()
	return s.fields(func(key []byte) *Error {
		known, err := h.field(s, key)
		if err == nil && !known {
			err = s.skip(depth + 1)
		}
		return err
	})
}

// field reads the value of a field of metadata that a Head has. For other fields it reads nothing,
// and known is false.
func (h *headParts) field(s *scanner, key []byte) (known bool, err *Error) {
	switch string(key) {
	case "namespace":
		h.namespace, err = h.text(s)
	case "name":
		h.name, err = h.text(s)
	case "uid":
		h.uid, err = h.text(s)
	case "resourceVersion":
		h.version, err = h.text(s)
	case "creationTimestamp":
		h.created, _, err = s.seconds()
	case "deletionTimestamp":
		h.deleted, _, err = s.seconds()
	case "ownerReferences":
		h.owners = h.owners[:0]
		err = s.elements(func(int) *Error { return h.owner(s) })
	default:
		return false, nil
	}
	return true, err
}

func (h *headParts) owner(s *scanner) *Error {
	var o ownerParts
	err := s.fields(func(key []byte) (err *Error) {
		switch string(key) {
		case "apiVersion":
			o.apiVersion, err = h.text(s)
		case "kind":
			o.kind, err = h.text(s)
		case "name":
			o.name, err = h.text(s)
		case "uid":
			o.uid, err = h.text(s)
		case "controller":
			o.controller, err = s.bool()
		default:
			err = s.skip(4)
		}
		return err
	})
	h.owners = append(h.owners, o)
	return err
}

// text reads a string, or null, into the arena.
func (h *headParts) text(s *scanner) (span, *Error) {
	if none, err := s.null(); none || err != nil {
		return span{}, err
	}
	text, err := s.string()
	start := len(h.arena)
	h.arena = append(h.arena, text...)
	return span{start, len(h.arena)}, err
}

// head returns the Head. It uses the capacity of owners if that is sufficient.
func (h *headParts) head(owners []OwnerReference) Head {
	text := string(h.arena)
	part := func(s span) string { return text[s.start:s.end] }
	head := Head{
		Namespace: part(h.namespace), Name: part(h.name), UID: part(h.uid), ResourceVersion: part(h.version),
		CreationTimestamp: h.created, DeletionTimestamp: h.deleted,
	}
	if len(h.owners) == 0 {
		return head
	}
	if cap(owners) < len(h.owners) {
		owners = make([]OwnerReference, 0, len(h.owners))
	}
	for _, o := range h.owners {
		owners = append(owners, OwnerReference{
			APIVersion: part(o.apiVersion), Kind: part(o.kind), Name: part(o.name), UID: part(o.uid), Controller: o.controller,
		})
	}
	head.Owners = owners
	return head
}
