package machine

import (
	"simkube.io/simkube/skel/internal/syntax"
	"simkube.io/simkube/trace"
)

// Record is the result for the record of a deleted object, as far as it can be computed from the
// record.
type Record struct {
	Dropped bool
	// Copied: it was dropped by its name after a command that makes copies, which have other names.
	Copied bool
	// Raw is the renamed record; nil if the name is unchanged.
	Raw []byte
	// Shift is the number of seconds by which it is moved.
	Shift int64
}

// Delete runs the program on the record of an object deleted at the event's time. It applies only
// the commands that can be evaluated on such a record, which holds the kind, namespace and name.
// obj must hold nothing else.
func (m *Machine) Delete(obj *trace.Object) (Record, error) {
	m.begin(obj, obj.Raw())
	var out Record
	// unknown: an earlier command may have renamed this object, depending on fields that a record
	// lacks.
	unknown := false
	copied := false
	for i := range m.program.commands {
		c := &m.program.commands[i]
		copied = copied || c.kind == syntax.Duplicate
		if !c.deletes() || unknown && c.named {
			continue
		}
		if !c.recorded() {
			unknown = unknown || c.renames
			continue
		}
		m.steps = 0
		matched, err := m.matches(c)
		if err != nil {
			return Record{}, m.withSpan(c, err)
		}
		if !matched {
			continue
		}
		switch c.kind {
		case syntax.Delete:
			m.count(i)
			m.counts[i].Deleted++
			out.Dropped, out.Copied = true, copied && c.byName
			m.record(&out)
			return out, nil
		case syntax.Shift:
			m.count(i)
			out.Shift += c.seconds
		case syntax.Modify, syntax.Remove:
			m.count(i)
			if err := m.effect(i, c); err != nil {
				return Record{}, m.withSpan(c, err)
			}
		}
	}
	m.record(&out)
	return out, nil
}

// record applies the current name to a record.
func (m *Machine) record(out *Record) {
	if m.loaded && m.doc.Changed() {
		start := len(m.arena)
		m.arena = m.doc.AppendValue(m.arena, m.doc.Root())
		out.Raw = m.arena[start:len(m.arena):len(m.arena)]
	}
}

// deletes reports whether a command can apply to the record of a deleted object.
func (c *command) deletes() bool {
	switch c.kind {
	case syntax.Delete, syntax.Shift:
		return true
	case syntax.Modify, syntax.Remove:
		return c.renames
	}
	return false
}

// Inserted is an object that a program inserts.
type Inserted struct {
	// Time is in unix seconds.
	Time int64
	Raw  []byte
	// Next is the index of the command after the one that inserts it.
	Next int
}

// Inserted returns the objects that the program inserts into a trace that begins at start, in the
// order of the program.
func (p *Program) Inserted(start int64) []Inserted {
	var out []Inserted
	for i := range p.commands {
		if c := &p.commands[i]; c.kind == syntax.Insert {
			at := c.seconds
			if c.relative {
				at += start
			}
			out = append(out, Inserted{Time: at, Raw: c.object, Next: i + 1})
		}
	}
	return out
}

// RelativeInsert reports whether the program inserts an object at a time relative to the start of
// the trace, which must then be known.
func (p *Program) RelativeInsert() bool {
	for i := range p.commands {
		if p.commands[i].kind == syntax.Insert && p.commands[i].relative {
			return true
		}
	}
	return false
}
