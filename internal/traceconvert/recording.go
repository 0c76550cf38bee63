package traceconvert

import (
	"errors"
	"fmt"
	"slices"

	"simkube.io/simkube/internal/words"
)

var errNameMissing = errors.New("metadata.name is missing")

// recording is what is known about an input, over both passes.
type recording struct {
	*Options
	scopes *scopes
	// generated are the places of objects that have only a prefix of their name.
	generated map[string]bool
	notes     []string
}

func newRecording(opts *Options) *recording {
	return &recording{Options: opts, scopes: newScopes(), generated: map[string]bool{}}
}

// note adds a message for the user, once.
func (r *recording) note(text string) {
	if !slices.Contains(r.notes, text) {
		r.notes = append(r.notes, text)
	}
}

// allNotes returns the messages for the user.
func (r *recording) allNotes() []string {
	notes := r.notes
	if len(notes) > maxNotes {
		notes = append(slices.Clone(notes[:maxNotes]), fmt.Sprintf("and %d more of these", len(notes)-maxNotes))
	}
	if guesses := r.scopes.guesses(); guesses != "" {
		notes = append(notes, guesses)
	}
	if n := len(r.generated); n > 0 {
		notes = append(notes, words.Count(n, "object")+" with generateName got names")
	}
	return notes
}

// maxNotes is the maximum number of messages about the places in an input.
const maxNotes = 10
