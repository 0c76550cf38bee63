package sample

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/results"
)

func TestDay(t *testing.T) {
	run := Day(1)
	if diff := cmp.Diff(run, Day(1)); diff != "" {
		t.Errorf("the same seed gave another run (-first +second):\n%s", diff)
	}
	s := run.Summary
	if got := s.Outcome.Pods.Created; got < 1000 {
		t.Errorf("created pods: got %d, want a day's worth", got)
	}
	if s.Timing.Pending.OverSecond == 0 || len(s.Timing.WaitReasons) < 3 || s.Outcome.Pods.NeverScheduled == 0 {
		t.Errorf("nothing worth a report happened: %+v", s.Timing.Pending)
	}
	if testing.Verbose() {
		if err := s.WriteText(os.Stdout, 100, true); err != nil {
			t.Error(err)
		}
	}
	if got := cmp.Equal(results.Outcome{}, s.Outcome); got {
		t.Error("the outcome is empty")
	}
}
