package replay

import (
	"math"
	"testing"
	"time"
)

func TestSchedule_due(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		speed float64
		at    int64
		want  time.Duration
	}{
		"origin":               {1, 0, 0},
		"own speed":            {1, 61, 61 * time.Second},
		"faster":               {2, 1, 500 * time.Millisecond},
		"not to be divided":    {3, 1, 333_333_333},
		"whole again":          {3, 3, time.Second},
		"slower":               {0.25, 1, 4 * time.Second},
		"before the origin":    {2, -3, -1500 * time.Millisecond},
		"a year, exactly":      {1, 31_536_000, 31_536_000 * time.Second},
		"a year at 7":          {7, 31_536_000, 4_505_142_857_142_857},
		"beyond all durations": {1e-9, math.MaxInt32, time.Duration(math.MaxInt64/int64(time.Second)-1) * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := schedule{start: start, origin: 1_700_000_000, speed: c.speed}
			if got := s.due(1_700_000_000 + c.at).Sub(start); got != c.want {
				t.Errorf("due after %v, want %v", got, c.want)
			}
		})
	}
}
