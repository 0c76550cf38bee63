package trace

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// entries reads a map whose keys are not field names: entry reads each key and its value. It
// releases the part of the window before the entry, so entry must not leave keys on the stack.
func (s *scanner) entries(entry func() *FormatError) *FormatError {
	n, err := s.mapHeader()
	if err != nil {
		return err
	}
	for range n {
		if err := entry(); err != nil {
			return err
		}
	}
	return nil
}

// duplicate returns an error for a duplicate key at pos.
func (s *scanner) duplicate(pos int, key string) *FormatError {
	return s.fail(pos, ErrDuplicateKey, "duplicate key %.64q", key)
}

// gvk reads a kind.
func (s *scanner) gvk() (gvk schema.GroupVersionKind, text string, err *FormatError) {
	pos := s.pos
	if text, err = s.text(); err != nil {
		return gvk, "", err
	}
	gvk, parseErr := ParseGVK(text)
	if parseErr != nil {
		return gvk, "", s.fail(pos, ErrValue, "%v", parseErr)
	}
	return gvk, text, nil
}

// index reads the index of version 2.
func (s *scanner) index() (Index, *FormatError) {
	index := Index{}
	err := s.entries(func() *FormatError {
		pos := s.pos
		gvk, key, err := s.gvk()
		if err != nil {
			return err
		}
		if _, ok := index[gvk]; ok {
			return s.duplicate(pos, key)
		}
		if index[gvk], err = s.hashes(); err != nil {
			return err.in(key)
		}
		return nil
	})
	return index, err
}

// hashes reads a map of hashes by namespaced name, which is also the index of version 1.
func (s *scanner) hashes() (map[string]uint64, *FormatError) {
	hashes := map[string]uint64{}
	err := s.entries(func() *FormatError {
		s.release()
		pos := s.pos
		name, err := s.text()
		if err != nil {
			return err
		}
		if _, ok := hashes[name]; ok {
			return s.duplicate(pos, name)
		}
		if hashes[name], _, err = s.number(); err != nil {
			return err.in(name)
		}
		return nil
	})
	return hashes, err
}

// lifecycles reads the lifecycles of version 2.
func (s *scanner) lifecycles() (Lifecycles, *FormatError) {
	all := Lifecycles{}
	err := s.entries(func() *FormatError {
		s.release()
		pos := s.pos
		owner, err := s.owner()
		if err != nil {
			return err.under("[key]")
		}
		if _, ok := all[owner]; ok {
			return s.duplicate(pos, owner.String())
		}
		if all[owner], err = s.podLifecycles(lifecycleV2); err != nil {
			return err.in(owner.String())
		}
		return nil
	})
	return all, err
}

// owner reads a key of the lifecycles: an array of a kind and a namespaced name.
func (s *scanner) owner() (PodOwner, *FormatError) {
	pos := s.pos
	n, err := s.arrayHeader()
	if err != nil {
		return PodOwner{}, err
	}
	if n != 2 {
		return PodOwner{}, s.fail(pos, ErrType, "want an array of a kind and a name, got one of %d", n)
	}
	gvk, _, err := s.gvk()
	if err != nil {
		return PodOwner{}, err.at(0)
	}
	name, err := s.text()
	if err != nil {
		return PodOwner{}, err.at(1)
	}
	return PodOwner{GVK: gvk, Name: name}, nil
}
