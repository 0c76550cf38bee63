package replaytest

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"simkube.io/simkube/cluster/internal/hostile"
	"simkube.io/simkube/internal/replay"
)

// hostileVariable sets the number of hostile traces.
const hostileVariable = "SIMKUBE_HOSTILE"

// hostileAtOnce is how many simulations are under way in TestHostile.
const hostileAtOnce = 40

// On the embedded cluster, too, traces that reach for what is outside of their simulation touch
// nothing there, with all the rights that a simulation has. It has no other tests beside it: they
// change what is listed.
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
	count := 12
	if text := os.Getenv(hostileVariable); text != "" {
		if count, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", hostileVariable, err)
		}
	}
	for first := 0; first < count && !t.Failed(); first += hostileAtOnce {
		var running sync.WaitGroup // more of them than there are processors: they wait most of the time
		for seed := first; seed < min(first+hostileAtOnce, count); seed++ {
			running.Go(func() {
				t.Run(strconv.Itoa(seed), func(t *testing.T) { replayHostile(t, uint64(seed), outside) })
			})
		}
		running.Wait()
		checkUntouched(t, before)
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

func checkUntouched(t *testing.T, before hostile.Listing) {
	t.Helper()
	var diff []string
	err := wait.PollUntilContextTimeout(t.Context(), time.Second, patience, true, func(ctx context.Context) (bool, error) {
		after, err := hostile.List(ctx, env.config)
		if err != nil {
			return false, err
		}
		diff = before.Diff(after)
		return len(diff) == 0, nil
	})
	if err != nil {
		t.Errorf("the cluster is not as it was (%v):\n%s", err, strings.Join(diff, "\n"))
	}
}
