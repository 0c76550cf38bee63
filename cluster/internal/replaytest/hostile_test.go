package replaytest

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"simkube.io/simkube/cluster/internal/hostile"
	"simkube.io/simkube/internal/replay"
)

// hostileAtOnce is how many simulations run at once in TestHostile.
const hostileAtOnce = 40

// On the embedded cluster, traces that refer to objects outside of their simulation change none of
// them either, with all the permissions of a simulation. No other tests run at the same time,
// because they change the listing.
func TestHostile(t *testing.T) {
	ctx := t.Context()
	outside, err := hostile.CreateOutside(ctx, env.client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hostile.DeleteOutside(context.WithoutCancel(ctx), env.client); err != nil {
			t.Error(err)
		}
	})
	before, err := hostile.ListSettled(ctx, env.config)
	if err != nil {
		t.Fatal(err)
	}
	count, err := hostile.Count(12)
	if err != nil {
		t.Fatal(err)
	}
	for first := 0; first < count && !t.Failed(); first += hostileAtOnce {
		var running sync.WaitGroup // more than processors: they mostly wait
		for seed := first; seed < min(first+hostileAtOnce, count); seed++ {
			running.Go(func() {
				t.Run(strconv.Itoa(seed), func(t *testing.T) { replayHostile(t, uint64(seed), outside) })
			})
		}
		running.Wait()
		if err := hostile.CheckUntouched(ctx, env.config, before); err != nil {
			t.Error(err)
		}
	}
}

func replayHostile(t *testing.T, seed uint64, outside *hostile.Outside) {
	s := newSim(t, replay.Options{}, nil)
	file := hostile.Trace(seed, outside)
	report := s.run(t, replay.Plan{Config: &file.Config}, file.Events...)
	if len(report.ProblemCounts) == 0 || report.Events != len(file.Events) {
		t.Errorf("report = %+v, want all events, and problems", report)
	}
}
