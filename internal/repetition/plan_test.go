package repetition

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func memory(bytes int64) func() (int64, bool) { return func() (int64, bool) { return bytes, true } }

// history is what a fake of runs saw: when each began and ended, on a clock that jumps.
type history struct {
	mu     sync.Mutex // guards the rest
	lines  []string
	shares []Share
	began  time.Time
}

// run returns a run that takes a second and then reports the memory that it is to have used.
func (h *history) run(used func(number int) Ended) func(context.Context, Job) Ended {
	h.began = time.Now()
	return func(ctx context.Context, job Job) Ended {
		h.note("+%d", job)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
		h.note("-%d", job)
		return used(job.Number)
	}
}

func (h *history) note(format string, job Job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprintf("%v:"+format, time.Since(h.began).Round(time.Second), job.Number))
	if format[0] == '+' {
		h.shares = append(h.shares, job.Share)
	}
}

// starts returns how many runs began in each second.
func (h *history) starts() string {
	var out []string
	for second := 0; ; second++ {
		n, some := 0, false
		for _, line := range h.lines {
			when, what, _ := strings.Cut(line, ":")
			if when == fmt.Sprintf("%ds", second) {
				some = true
				if what[0] == '+' {
					n++
				}
			}
		}
		if !some {
			return strings.Join(out, " ")
		}
		out = append(out, fmt.Sprint(n))
	}
}

func TestPlan_Run(t *testing.T) {
	whole := func(peak int64) func(int) Ended {
		return func(int) Ended { return Ended{PeakMemory: peak, Whole: true} }
	}
	for name, tc := range map[string]struct {
		plan Plan
		used func(int) Ended
		// starts is how many begin in each second; a run takes one.
		starts string
		first  Share
	}{
		"cores decide":               {Plan{Count: 5, Cores: 2, Memory: memory(24 * gib), Estimate: gib}, whole(gib), "2 2 1 0", Share{1, 12 * gib}},
		"fewer than cores":           {Plan{Count: 2, Cores: 8, Memory: memory(24 * gib), Estimate: gib}, whole(gib), "2 0", Share{4, 12 * gib}},
		"memory decides":             {Plan{Count: 4, Cores: 8, Memory: memory(3*gib + 5), Estimate: gib}, whole(gib), "3 1 0", Share{2, gib + 1}},
		"less than one":              {Plan{Count: 2, Cores: 8, Memory: memory(gib / 2), Estimate: gib}, whole(gib), "1 1 0", Share{}},
		"nobody knows the memory":    {Plan{Count: 3, Cores: 2, Estimate: gib}, whole(gib), "2 1 0", Share{1, 0}},
		"one core":                   {Plan{Count: 2, Cores: 1, Memory: memory(24 * gib), Estimate: gib}, whole(gib), "1 1 0", Share{}},
		"one at a time, as wished":   {Plan{Count: 3, Cores: 4, Parallel: 1, Memory: memory(24 * gib), Estimate: gib}, whole(gib), "1 1 1 0", Share{}},
		"more than cores, as wished": {Plan{Count: 6, Cores: 2, Parallel: 4, Memory: memory(2 * gib), Estimate: gib}, whole(gib), "4 2 0", Share{1, 0}},
		"they need less":             {Plan{Count: 9, Cores: 4, Memory: memory(2 * gib), Estimate: gib}, whole(512 * mib), "2 4 3 0", Share{2, gib}},
		"they need more":             {Plan{Count: 6, Cores: 4, Memory: memory(4 * gib), Estimate: gib}, whole(2 * gib), "4 2 0", Share{1, gib}},
		"one need not say much": {
			Plan{Count: 6, Cores: 4, Memory: memory(4 * gib), Estimate: 2 * gib},
			// The first two fail early.
			func(number int) Ended { return Ended{PeakMemory: 100 * mib, Whole: number > 2} },
			"2 2 2 0",
			Share{2, 2 * gib},
		},
		"not known what one needs": {Plan{Count: 4, Cores: 4, Memory: memory(2 * gib), Estimate: gib}, whole(0), "2 2 0", Share{2, gib}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h history
				if got := tc.plan.Run(t.Context(), h.run(tc.used)); got != tc.plan.Count {
					t.Errorf("%d were started, want all %d", got, tc.plan.Count)
				}
				if got := h.starts(); got != tc.starts {
					t.Errorf("starts by second: %s, want %s\n%s", got, tc.starts, strings.Join(h.lines, "\n"))
				}
				if diff := cmp.Diff(tc.first, h.shares[0]); diff != "" {
					t.Errorf("share of the first (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// What others take of the machine meanwhile keeps a run from starting, but never the only one.
func TestPlan_Run_MemoryGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := []int64{8 * gib, 5 * gib, gib / 2, gib / 4}
		plan := Plan{Count: 4, Cores: 4, Estimate: gib, Memory: func() (int64, bool) {
			now := left[0]
			if len(left) > 1 {
				left = left[1:]
			}
			return now, true
		}}
		var h history
		plan.Run(t.Context(), h.run(func(int) Ended { return Ended{PeakMemory: gib, Whole: true} }))
		if got, want := h.starts(), "2 1 1 0"; got != want {
			t.Errorf("starts by second: %s, want %s", got, want)
		}
	})
}

func TestPlan_Run_Interrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		var h history
		started := Plan{Count: 9, Cores: 2, Estimate: gib}.Run(ctx, h.run(func(int) Ended { return Ended{} }))
		if started != 4 {
			t.Errorf("%d were started, want 4", started)
		}
		if len(h.lines) != 8 {
			t.Errorf("Run returned before all had ended: %v", h.lines)
		}
	})
	t.Run("before any", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		started := Plan{Count: 9, Cores: 2}.Run(ctx, func(context.Context, Job) Ended {
			t.Error("one was started")
			return Ended{}
		})
		if started != 0 {
			t.Errorf("%d were started, want none", started)
		}
	})
}

func TestEstimateMemory(t *testing.T) {
	if got := EstimateMemory(0); got < gib {
		t.Errorf("nothing known: got %d bytes, want at least a GiB", got)
	}
	if few, many := EstimateMemory(10), EstimateMemory(1000); many <= few {
		t.Errorf("1,000 nodes: got %d bytes, with 10 %d", many, few)
	}
}
