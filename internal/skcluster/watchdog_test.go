package skcluster

import (
	"testing"
	"time"

	"simkube.io/simkube/internal/simulation"
)

// A process that does not compute has stalled earlier than one that does, and other processes that
// use the processors make no difference.
func TestWatchdog(t *testing.T) {
	const never = 5 * time.Hour
	for name, tc := range map[string]struct {
		phase simulation.Phase
		in    cpu // in each interval
		want  time.Duration
	}{
		"idle":                      {simulation.Replaying, cpu{}, defaultStall},
		"hardly":                    {simulation.Replaying, cpu{used: time.Millisecond}, 30200 * time.Millisecond},
		"idle, on a loaded machine": {simulation.Replaying, cpu{used: time.Millisecond, waited: 39 * time.Millisecond}, 37600 * time.Millisecond},
		"computing":                 {simulation.Replaying, cpu{used: progressInterval}, busyStall},
		"on two processors":         {simulation.Replaying, cpu{used: 2 * progressInterval}, busyStall},
		"waiting for the disk":      {simulation.Replaying, cpu{used: progressInterval / busyShare}, 10 * busyStall},
		"with little of a processor": {
			simulation.Replaying, cpu{used: progressInterval / 50, waited: progressInterval - progressInterval/50}, 50 * busyStall,
		},
		"without a processor": {simulation.Replaying, cpu{waited: progressInterval}, never},
		"reporting":           {simulation.Reporting, cpu{}, busyStall},
		"preparing":           {simulation.Preparing, cpu{}, never},
	} {
		dog := newWatchdog(Options{})
		dog.observe(simulation.Message{Progress: &simulation.Progress{Phase: tc.phase}})
		var now cpu
		checks := 0
		for !dog.tick(now) && time.Duration(checks)*progressInterval < never {
			checks++
			now.used += tc.in.used
			now.waited += tc.in.waited
		}
		if got := time.Duration(checks) * progressInterval; (got - tc.want).Abs() > max(progressInterval, tc.want/100) {
			t.Errorf("%s: stalled after %s, want %s", name, got, tc.want)
		}
	}
}

// A thread that waits for a processor is only counted when it runs again.
func TestWatchdog_LateCount(t *testing.T) {
	dog := newWatchdog(Options{})
	dog.observe(simulation.Message{Progress: &simulation.Progress{Phase: simulation.Replaying}})
	const wait = 10 // intervals
	var now cpu
	for check := range 3600 {
		if check%wait == 0 {
			now.used += time.Millisecond
			now.waited += wait*progressInterval - time.Millisecond
		}
		if dog.tick(now) {
			t.Fatalf("a process that waits for a processor has stalled after %s", time.Duration(check)*progressInterval)
		}
	}
}

// A simulation that has computed for long has no more time to stall than others.
func TestWatchdog_StallsLater(t *testing.T) {
	dog := newWatchdog(Options{})
	dog.observe(simulation.Message{Progress: &simulation.Progress{Phase: simulation.Replaying}})
	var now cpu
	for range 600 {
		now.used, now.waited = now.used+2*progressInterval, now.waited+2*progressInterval
		if dog.tick(now) {
			t.Fatal("it has stalled while it computed")
		}
	}
	checks := 0
	for !dog.tick(now) {
		checks++
	}
	if got := time.Duration(checks) * progressInterval; got != defaultStall {
		t.Errorf("stalled after %s, want %s", got, defaultStall)
	}
}
