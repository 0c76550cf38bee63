package karpenter

import (
	"context"
	"testing"
	"time"

	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/karpenter/pkg/controllers/disruption"
)

// fakeMethod finds a command as often as it is told to.
type fakeMethod struct {
	disruption.Method
	finds int
}

func (m *fakeMethod) ComputeCommands(context.Context, map[string]int, ...*disruption.Candidate) ([]disruption.Command, error) {
	if m.finds == 0 {
		return nil, nil
	}
	m.finds--
	return []disruption.Command{{Candidates: []*disruption.Candidate{{}}}}, nil
}

// A method that has found nothing is not due until the interval has passed; one that has found
// something is due at once.
func TestDisruptor_Due(t *testing.T) {
	now := testingclock.NewFakeClock(time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC))
	method := &fakeMethod{finds: 1}
	newDue := func(interval time.Duration, fullLoop bool, c clock.Clock) *disruptor {
		return &disruptor{parts: parts{clock: c, interval: interval, fullLoop: fullLoop}, looked: map[selection]time.Time{}}
	}
	d := newDue(time.Minute, false, now)
	look := func() {
		t.Helper()
		if _, err := (observedMethod{method, 1, d}).ComputeCommands(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, step := range []struct {
		after time.Duration
		look  bool
		want  bool
	}{{0, false, true}, {0, true, true}, {0, true, false}, {59 * time.Second, false, false}, {time.Second, false, true}, {0, true, false}} {
		now.Step(step.after)
		if step.look {
			look()
		}
		if got := d.due(1); got != step.want {
			t.Errorf("step %d: due is %t, want %t", i, got, step.want)
		}
		if !d.due(2) {
			t.Errorf("step %d: another method is not due", i)
		}
	}
	for _, other := range []*disruptor{newDue(0, false, now), newDue(time.Minute, true, now)} {
		other.looked[1] = now.Now()
		if !other.due(1) {
			t.Errorf("interval %s, full loop %t: not due", other.interval, other.fullLoop)
		}
	}
}
