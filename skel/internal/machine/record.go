package machine

import (
	"simkube.io/simkube/skel/internal/syntax"
	"simkube.io/simkube/trace"
)

// Record is what becomes of the record of a deleted object, as far as the program can tell from the record.
type Record struct {
	Dropped bool
	// Copied: it was dropped by its name behind a command that makes copies, which have other names.
	Copied bool
	// Raw is the record under another name; nil where it keeps its own.
	Raw []byte
	// Shift is by how many seconds it is moved.
	Shift int64
}

// Delete runs the program on the record of an object deleted at the event's time. Only commands count that can be told from such a record: what it holds is the kind
// and the name. obj must hold nothing else.
func (m *Machine) Delete(obj *trace.Object) (Record, error) {
	m.begin(obj, obj.Raw())
	var out Record
	// unknown: an earlier command may have made another object of this one, for reasons that a record does not have.
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
			return Record{}, m.located(c, err)
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
				return Record{}, m.located(c, err)
			}
		}
	}
	m.record(&out)
	return out, nil
}

// record gives a record the name that it has now.
func (m *Machine) record(out *Record) {
	if m.loaded && m.doc.Changed() {
		start := len(m.arena)
		m.arena = m.doc.AppendValue(m.arena, m.doc.Root())
		out.Raw = m.arena[start:len(m.arena):len(m.arena)]
	}
}

// deletes tells whether a command can be about the record of a deleted object.
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
	// Next is the command behind the one that inserts it.
	Next int
}

// Inserted gives what the program inserts into a trace that begins at a time, in the order of the program.
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

// RelativeInsert tells whether something is inserted at a time after the start of the trace, which there must be then.
func (p *Program) RelativeInsert() bool {
	for i := range p.commands {
		if p.commands[i].kind == syntax.Insert && p.commands[i].relative {
			return true
		}
	}
	return false
}
