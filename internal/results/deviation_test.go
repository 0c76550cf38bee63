package results

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRecorder_Deviations holds that every problem is a deviation, once for each object or unknown
// kind, beside those that the recorder is told.
func TestRecorder_Deviations(t *testing.T) {
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	rec := NewRecorder()
	for i := range 2 {
		rec.EventReplayed(Event{Index: i, TraceTime: at, Started: at, Problems: []Problem{
			{Category: "rejected", Object: "v1.Service default/web", Message: fmt.Sprintf("no ports (%d)", i)},
			{Category: "unknownKind", Object: fmt.Sprintf("example.com/v1.Widget default/w%d", i), Message: "no such kind"},
		}})
	}
	web := Owner{Namespace: "default", Kind: "Deployment", Name: "web"}
	note := Note{Level: "info", Text: "2 nodes"}
	s := rec.Run(Info{
		End:        at,
		Problems:   []Problem{{Category: "leftOut", Object: "v1.Node n", Message: "nodes are simulated"}},
		Deviations: []Deviation{{Category: "notPlaced", Owner: &web, Count: 3, Reason: "no room"}, {Category: "notPlaced", Object: "v1.Pod default/p"}},
		Notes:      []Note{note, {Level: "warning", Text: "no classes"}, note},
	}).Summary

	want := &Deviations{
		Total:      5,
		ByCategory: []CategoryCount{{"leftOut", 1}, {"notPlaced", 2}, {"rejected", 1}, {"unknownKind", 1}},
		First: []Deviation{
			{Category: "leftOut", Object: "v1.Node n", Count: 1, Reason: "nodes are simulated", Action: problemActions["leftOut"]},
			{Category: "notPlaced", Owner: &web, Count: 3, Reason: "no room"},
			{Category: "notPlaced", Object: "v1.Pod default/p", Count: 1},
			{Category: "rejected", Object: "v1.Service default/web", Count: 2, Reason: "no ports (0)", Action: problemActions["rejected"]},
			{Category: "unknownKind", Object: "example.com/v1.Widget", Count: 2, Reason: "no such kind", Action: problemActions["unknownKind"]},
		},
	}
	if diff := cmp.Diff(want, s.Outcome.Deviations); diff != "" {
		t.Errorf("deviations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Note{note, {Level: "warning", Text: "no classes"}}, s.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if got := s.Outcome.Problems.Total; got != 5 {
		t.Errorf("%d problems, want 5", got)
	}
}

func TestNewDeviations_Bounded(t *testing.T) {
	d := newDeviations(make([]Deviation, maxDeviations+1))
	if d.Total != maxDeviations+1 || len(d.First) != maxDeviations {
		t.Errorf("%d deviations, %d listed", d.Total, len(d.First))
	}
}
