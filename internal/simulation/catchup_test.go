package simulation

import (
	"testing"
	"time"

	"simkube.io/simkube/internal/results"
)

// TestCatchUp holds how long the end of a replay waits for the control plane, by what it has still
// to do in each second.
func TestCatchUp(t *testing.T) {
	working := func(lacking ...int) []results.Backlog {
		var all []results.Backlog
		for _, n := range lacking {
			all = append(all, results.Backlog{Owners: []results.OwnerBacklog{{Lacking: n}}})
		}
		return all
	}
	falling := make([]int, 40)
	for i := range falling {
		falling[i] = 100 - i
	}
	for name, c := range map[string]struct {
		seconds []results.Backlog // the last one remains
		want    time.Duration
		late    bool
	}{
		"nothing to do":        {seconds: working(0), want: 0},
		"done after a while":   {seconds: working(9, 9, 9, 5, 0), want: 4 * time.Second},
		"never done":           {seconds: working(9, 9, 5), want: 2*time.Second + stuckAfter},
		"more to do each time": {seconds: working(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), want: stuckAfter},
		"not done in time":     {seconds: working(falling...), want: 30 * time.Second, late: true},
		"pods that have to be ready for a while": {
			seconds: []results.Backlog{{Owners: []results.OwnerBacklog{{Lacking: 2, Pause: 15 * time.Second}}}}, want: 15*time.Second + stuckAfter,
		},
		"pods that start, and then have to be ready": {
			seconds: []results.Backlog{{Owners: []results.OwnerBacklog{{Starting: 2, Pause: time.Minute}}}}, want: stuckAfter,
		},
		"pods without a node": {seconds: []results.Backlog{{Unplaced: 3}}, want: unplacedAfter},
		"pods without a node, and a controller that works": {
			seconds: []results.Backlog{{Unplaced: 3, Owners: working(1)[0].Owners}}, want: stuckAfter,
		},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Unix(0, 0)
			w := catchUp{limit: 30 * time.Second, patience: stuckAfter, began: began, changed: began}
			for second := range 60 {
				now := began.Add(time.Duration(second) * time.Second)
				if !w.done(now, &c.seconds[min(second, len(c.seconds)-1)]) {
					continue
				}
				if got := now.Sub(began); got != c.want || w.late != c.late {
					t.Errorf("done after %s, late: %t; want %s, %t", got, w.late, c.want, c.late)
				}
				return
			}
			t.Error("never done")
		})
	}
}

// TestRetries holds when pods without a node are tried again, by the backlogs one after another.
func TestRetries(t *testing.T) {
	busy := results.Backlog{Unplaced: 3, Owners: []results.OwnerBacklog{{Starting: 1}}}
	only := func(n int) results.Backlog { return results.Backlog{Unplaced: n} }
	var r retries
	for i, c := range []struct {
		backlog results.Backlog
		want    bool
	}{
		{only(0), false},
		{busy, false},
		{only(3), true},
		{only(3), false}, // none was placed
		{busy, false},
		{only(4), false},
		{only(2), true},
		{only(0), false},
	} {
		if got := r.due(&c.backlog); got != c.want {
			t.Errorf("backlog %d: got %t, want %t", i, got, c.want)
		}
	}
}

// TestSession_CatchUpLimit holds that the control plane gets the time that the speed took from it,
// within bounds.
func TestSession_CatchUpLimit(t *testing.T) {
	for _, c := range []struct {
		seconds int64
		speed   float64
		want    time.Duration
	}{
		{0, 1, minCatchUp},
		{3600, 1, minCatchUp},
		{3600, 0.5, minCatchUp},
		{90, 3, 60 * time.Second},
		{1200, 120, maxCatchUp},
		{1 << 40, 1e9, maxCatchUp},
	} {
		s := session{Prepared: &Prepared{spec: Spec{Speed: c.speed}, end: c.seconds}}
		if got := s.catchUpLimit(); got != c.want {
			t.Errorf("%d s at speed %g: %s, want %s", c.seconds, c.speed, got, c.want)
		}
	}
}
