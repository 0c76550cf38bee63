package driver

import (
	"testing"

	"simkube.io/simkube/internal/results"
)

// A summary has no deviations of an earlier driver of the repetition, but its problems are known.
func TestDeviations(t *testing.T) {
	for name, c := range map[string]struct {
		deviations  *results.Deviations
		own, total  int
		want        int32
		wantUnknown bool
	}{
		"not counted":             {nil, 0, 0, 0, true},
		"as recorded":             {&results.Deviations{}, 0, 0, 0, false},
		"one driver":              {&results.Deviations{Total: 3}, 5, 5, 3, false},
		"problems before":         {&results.Deviations{}, 0, 2, 2, false},
		"problems before and now": {&results.Deviations{Total: 3}, 1, 2, 4, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := results.Summary{Outcome: results.Outcome{Deviations: c.deviations, Problems: results.ProblemCounts{Total: c.own}}}
			got := deviations(&s, c.total)
			if (got == nil) != c.wantUnknown || got != nil && *got != c.want {
				t.Errorf("got %v, want %d, unknown: %t", got, c.want, c.wantUnknown)
			}
		})
	}
}
