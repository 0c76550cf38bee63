package traceedit

import (
	"cmp"
	"fmt"
	"slices"

	"simkube.io/simkube/trace"
)

// mergedObject is the state of an object in the merged trace.
type mergedObject struct {
	// holders has a bit for each trace that contains the object now, by its index.
	holders uint64
	// by is the index of the trace that last applied it, hash the hash of that version.
	by   int
	hash uint64
	// exists in the merged trace.
	exists bool
}

func bit(place int) uint64 { return 1 << place }

// apply handles an object that a trace applies.
func (m *merger) apply(p *part, o *trace.Object, millis uint16) error {
	k := keyOf(o)
	known := m.objects[k]
	if known == nil {
		known = &mergedObject{by: p.place}
		m.objects[k] = known
	}
	hash, err := p.hash(o)
	if err != nil {
		return err
	}
	if again, err := m.again(p, k); err != nil {
		return err
	} else if again {
		if known.exists {
			known.holders |= bit(p.place)
		}
		return nil
	}
	others := known.exists && known.holders&^bit(p.place) != 0
	same := known.exists && known.hash == hash
	if others && !same {
		switch m.opts.OnConflict {
		case ConflictFirst:
			if known.by != p.place {
				return nil
			}
		case ConflictLast:
		default:
			other, err := m.conflicting(known, p, k, hash)
			if err != nil {
				return err
			}
			if other != nil {
				return &DifferentError{What: trace.FormatGVK(k.gvk) + " " + k.name, First: other.name, Second: p.name, Time: p.at}
			}
		}
	}
	known.holders |= bit(p.place)
	if same && known.by != p.place {
		if !others {
			known.by = p.place // it continues an object of a trace that has ended
		}
		return nil
	}
	known.by, known.hash, known.exists = p.place, hash, true
	in := m.in[k]
	if in.deleted {
		// Deletions are applied last in an event.
		if err := m.flush(); err != nil {
			return err
		}
		p.taken = true
		in = inEvent{}
	}
	kept := o.Clone()
	if in.applied > 0 && in.by != p.place {
		m.out.event.Applied[in.applied-1] = kept
		m.out.applied[in.applied-1] = millis
	} else {
		if in.applied > 0 {
			in.earlier = append(in.earlier, in.hash)
		}
		m.out.apply(kept, millis)
		in.applied = len(m.out.event.Applied)
	}
	in.hash, in.by = hash, p.place
	m.in[k] = in
	return nil
}

// again reports whether the event being collected already has the object with several versions, or
// with its deletion, from another trace, and the trace's event has the same.
func (m *merger) again(p *part, k objectKey) (bool, error) {
	in := m.in[k]
	if len(in.earlier) == 0 && !in.deleted || in.by == p.place || p.deletes(k) != (in.deleted || in.released) {
		return false, nil
	}
	versions, err := p.versions(k)
	return err == nil && in.has(versions), err
}

// versions returns the hashes of the versions of an object that the trace's event applies.
func (p *part) versions(k objectKey) ([]uint64, error) {
	var versions []uint64
	for n := range p.event.Applied {
		if o := &p.event.Applied[n]; keyOf(o) == k {
			hash, err := p.hash(o)
			if err != nil {
				return nil, err
			}
			versions = append(versions, hash)
		}
	}
	return versions, nil
}

// deletes reports whether the trace's event deletes an object.
func (p *part) deletes(k objectKey) bool {
	return slices.ContainsFunc(p.event.Deleted, func(o trace.Object) bool { return keyOf(&o) == k })
}

// conflicting returns a trace that contains a different version of an object, also after its
// changes at this time.
func (m *merger) conflicting(known *mergedObject, p *part, k objectKey, hash uint64) (*part, error) {
	for _, other := range m.parts {
		if other == p || known.holders&bit(other.place) == 0 {
			continue
		}
		agrees, err := other.becomes(p.at, k, hash)
		if err != nil {
			return nil, err
		}
		if !agrees {
			return other, nil
		}
	}
	return nil, nil
}

// becomes reports whether the trace's next event is at that time and sets an object to a version
// with the hash, or deletes it. It may set it to other versions before and after.
func (p *part) becomes(at int64, k objectKey, hash uint64) (bool, error) {
	if p.event == nil || p.at != at {
		return false, nil
	}
	versions, err := p.versions(k)
	return err == nil && (slices.Contains(versions, hash) || len(versions) == 0 && p.deletes(k)), err
}

// delete handles an object that a trace deletes. The object is removed when no trace contains it
// any more, or when the trace that takes precedence deletes it.
func (m *merger) delete(p *part, o *trace.Object, millis uint16) {
	k := keyOf(o)
	if in := m.in[k]; in.applied > 0 && in.by == p.place {
		in.released = true
		m.in[k] = in
	}
	known := m.objects[k]
	switch {
	case known == nil:
		// Keep the deletion of an object that no trace contains; it was recorded for a reason.
		m.objects[k] = &mergedObject{by: p.place}
	case !known.exists && known.by == p.place:
	case !known.exists:
		return
	default:
		mine := known.holders & bit(p.place)
		known.holders &^= bit(p.place)
		switch {
		case known.holders == 0:
		case m.opts.OnConflict == ConflictLast && mine != 0 && known.by == p.place:
		default:
			return
		}
		known.exists, known.by = false, p.place
	}
	m.remove(k, p.place, o.Clone(), millis)
}

// remove adds a deletion to the event.
func (m *merger) remove(k objectKey, by int, o trace.Object, millis uint16) {
	in := m.in[k]
	in.deleted, in.by = true, by
	m.in[k] = in
	m.out.delete(o, millis)
}

// deleteAbsent deletes what the initial state of a trace does not contain.
func (m *merger) deleteAbsent(p *part) error {
	begins := map[objectKey]bool{}
	for n := range p.event.Applied {
		begins[keyOf(&p.event.Applied[n])] = true
	}
	var gone []objectKey
	for k, known := range m.objects {
		if known.exists && !begins[k] {
			gone = append(gone, k)
		}
	}
	slices.SortFunc(gone, func(a, b objectKey) int {
		return cmp.Or(cmp.Compare(trace.FormatGVK(a.gvk), trace.FormatGVK(b.gvk)), cmp.Compare(a.name, b.name))
	})
	for _, k := range gone {
		m.objects[k].exists, m.objects[k].holders = false, 0
		o, err := trace.NewDeleted(k.gvk, k.name)
		if err != nil {
			return err
		}
		m.remove(k, p.place, o, 0)
	}
	return nil
}

// ended releases the objects of a trace without further events. The objects continue to exist.
func (m *merger) ended(p *part) {
	live := 0
	for _, known := range m.objects {
		known.holders &^= bit(p.place)
		if known.exists {
			live++
		}
	}
	if m.opts.Join || live == 0 {
		return
	}
	// A trace that begins later may be of the same cluster. Then the objects that its initial state
	// lacks were deleted in between.
	for _, other := range m.parts {
		if other.event == nil || other.next != 1 || other.at < p.at || other.hinted {
			continue
		}
		for n := range other.event.Applied {
			if known := m.objects[keyOf(&other.event.Applied[n])]; known != nil && known.exists {
				live--
			}
		}
		if live > 0 {
			other.hinted = true
			m.notes = append(m.notes, fmt.Sprintf(
				"%s begins after %s has ended: %d objects that it does not start with are kept; if both are recordings of one cluster, join them", other.name, p.name, live))
		}
		return
	}
}
