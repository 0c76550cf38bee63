package skel

import (
	"simkube.io/simkube/skel/internal/machine"
)

// Counts say what commands did.
type Counts struct {
	// Events is how many events had an object that matched.
	Events int64 `json:"eventsMatched"`
	// Objects is how many objects matched.
	Objects int64 `json:"objectsMatched"`
	// Fields is how many fields were removed or set.
	Fields int64 `json:"fieldsModified"`
	// Deleted is how many objects were dropped.
	Deleted int64 `json:"objectsDeleted"`
}

// CommandSummary is what one command did.
type CommandSummary struct {
	Command string `json:"command"`
	Line    int    `json:"line"`
	Counts
}

// Summary is what a program did to a trace.
type Summary struct {
	// Counts are those of all commands together: an event or an object that several commands matched counts once.
	Counts
	Commands []CommandSummary `json:"commands"`
	// EventsRead and EventsWritten are how many events went in and came out, ObjectsRead and ObjectsWritten how many objects, deletions included.
	EventsRead     int64 `json:"eventsRead"`
	EventsWritten  int64 `json:"eventsWritten"`
	ObjectsRead    int64 `json:"objectsRead"`
	ObjectsWritten int64 `json:"objectsWritten"`
	// Unordered is how many events were earlier than one in front of them. They are written with the time of that.
	Unordered int64 `json:"eventsOutOfOrder,omitempty"`
}

func (p *Program) newSummary() *Summary {
	s := &Summary{Commands: []CommandSummary{}}
	for _, c := range p.Commands() {
		s.Commands = append(s.Commands, CommandSummary{Command: c.Text, Line: c.Line})
	}
	return s
}

// add adds what a machine counted.
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
