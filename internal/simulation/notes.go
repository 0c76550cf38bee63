package simulation

import (
	"slices"
	"sync"

	"simkube.io/simkube/internal/results"
)

// notes keeps all notes to the user for the results. It is safe for concurrent use.
type notes struct {
	mu   sync.Mutex
	kept []results.Note
}

// newNotes returns notes that begin with those before the start.
func newNotes(before []Note) *notes {
	n := &notes{}
	for _, note := range before {
		n.add(note)
	}
	return n
}

func (n *notes) add(note Note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kept = append(n.kept, results.Note{Level: string(note.Level), Text: note.Text})
}

// keep returns a function that keeps the notes of messages, and passes all messages to report.
func (n *notes) keep(report func(Message)) func(Message) {
	return func(m Message) {
		if m.Note != nil {
			n.add(*m.Note)
		}
		report(m)
	}
}

// all returns the notes so far.
func (n *notes) all() []results.Note {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.kept)
}
