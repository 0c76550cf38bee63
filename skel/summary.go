package skel

import (
	"simkube.io/simkube/skel/internal/machine"
)

// Counts are the effects of commands.
type Counts struct {
	// Events is the number of events with an object that matched.
	Events int64 `json:"eventsMatched"`
	// Objects is the number of objects that matched.
	Objects int64 `json:"objectsMatched"`
	// Fields is the number of fields that were removed or set.
	Fields int64 `json:"fieldsModified"`
	// Deleted is the number of objects that were dropped.
	Deleted int64 `json:"objectsDeleted"`
}

// CommandSummary is the effect of one command.
type CommandSummary struct {
	Command string `json:"command"`
	Line    int    `json:"line"`
	Counts
}

// Summary is the effect of a program on a trace.
type Summary struct {
	// Counts are those of all commands together: an event or an object that several commands matched
	// counts once.
	Counts
	Commands []CommandSummary `json:"commands"`
	// EventsRead and EventsWritten are the numbers of events in the input and the output, ObjectsRead
	// and ObjectsWritten the numbers of objects, including deletions.
	EventsRead     int64 `json:"eventsRead"`
	EventsWritten  int64 `json:"eventsWritten"`
	ObjectsRead    int64 `json:"objectsRead"`
	ObjectsWritten int64 `json:"objectsWritten"`
	// Unordered is the number of events that were earlier than a preceding event. They are written
	// with the time of that event.
	Unordered int64 `json:"eventsOutOfOrder,omitempty"`
}

func (p *Program) newSummary() *Summary {
	s := &Summary{Commands: []CommandSummary{}}
	for _, c := range p.Commands() {
		s.Commands = append(s.Commands, CommandSummary{Command: c.Text, Line: c.Line})
	}
	return s
}

// add adds the counts of a machine.
func (s *Summary) add(m *machine.Machine) {
	for i, c := range m.Counts() {
		s.Commands[i].add(c)
	}
	s.Counts.add(m.Total())
}

func (c *Counts) add(o machine.Counts) {
	c.Events += o.Events
	c.Objects += o.Objects
	c.Fields += o.Fields
	c.Deleted += o.Deleted
}
