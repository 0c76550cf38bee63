package simulation

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/results"
)

// TestNotes holds that the results get the notes from before and during the run, and that all
// messages are passed on.
func TestNotes(t *testing.T) {
	n := newNotes([]Note{{Level: Info, Text: "2 nodes"}})
	var passed []Message
	report := n.keep(func(m Message) { passed = append(passed, m) })
	messages := []Message{{Note: &Note{Level: Warning, Text: "no claims"}}, {Progress: &Progress{}}}
	for _, m := range messages {
		report(m)
	}
	if diff := cmp.Diff(messages, passed); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	want := []results.Note{{Level: "info", Text: "2 nodes"}, {Level: "warning", Text: "no claims"}}
	if diff := cmp.Diff(want, n.all()); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}
