package driver

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"simkube.io/simkube/internal/replay"
)

// A repetition that starts during a pause is paused from the start. The pauses of one repetition do
// not affect the next.
func TestPauses(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	clock := clocktesting.NewFakeClock(start)
	p := &pauses{clock: clock}
	since := &metav1.Time{Time: start}
	if !p.set(since) || p.set(since) {
		t.Error("set() does not report changes")
	}
	clock.SetTime(at(10))
	first := p.begin()
	clock.SetTime(at(15))
	p.set(nil)
	clock.SetTime(at(20))
	p.set(since)
	clock.SetTime(at(22))
	if got := first.Shift(); got != 7*time.Second || !first.Paused() {
		t.Errorf("the first repetition was shifted by %v, wanted are 7 s", got)
	}
	want := []replay.Pause{{From: at(10), To: at(15)}, {From: at(20)}}
	if diff := cmp.Diff(want, first.Pauses()); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	p.set(nil)
	second := p.begin()
	clock.SetTime(at(30))
	if second.Shift() != 0 || len(second.Pauses()) != 0 {
		t.Errorf("the second repetition was shifted by %v: %v", second.Shift(), second.Pauses())
	}
}
