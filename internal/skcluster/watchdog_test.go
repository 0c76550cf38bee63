package skcluster

import (
	"testing"
	"time"

	"simkube.io/simkube/internal/simulation"
)

// A process that does not compute has stalled earlier than one that does.
func TestWatchdog(t *testing.T) {
	for name, tc := range map[string]struct {
		phase simulation.Phase
		uses  time.Duration // in each interval
		want  time.Duration
	}{
		"idle":      {simulation.Replaying, 0, defaultStall},
		"hardly":    {simulation.Replaying, time.Millisecond, defaultStall},
		"computing": {simulation.Replaying, progressInterval, busyStall},
		"reporting": {simulation.Reporting, 0, busyStall},
	} {
		dog := newWatchdog(Options{})
		dog.observe(simulation.Message{Progress: &simulation.Progress{Phase: tc.phase}})
		checks := 0
		for used := time.Duration(0); !dog.tick(used); used += tc.uses {
			checks++
		}
		if got := time.Duration(checks) * progressInterval; got != tc.want {
			t.Errorf("%s: stalled after %s, want %s", name, got, tc.want)
		}
	}
}
