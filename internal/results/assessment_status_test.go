package results_test

import (
	"testing"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/results"
)

func TestStatusAssessment(t *testing.T) {
	const unknown = -1
	for name, c := range map[string]struct {
		deviations []int32
		want       string
	}{
		"nothing has ended":       {nil, ""},
		"not counted":             {[]int32{unknown}, ""},
		"as recorded":             {[]int32{0}, "replayed as recorded"},
		"all as recorded":         {[]int32{0, 0}, "replayed as recorded"},
		"one not counted":         {[]int32{0, unknown}, ""},
		"one deviation":           {[]int32{1}, "replayed with 1 deviation"},
		"more":                    {[]int32{1200}, "replayed with 1,200 deviations"},
		"in one repetition":       {[]int32{0, 7, 0}, "replayed with deviations in 1 of 3 repetitions"},
		"in the one that counted": {[]int32{unknown, 7}, "replayed with deviations in 1 of 2 repetitions"},
	} {
		t.Run(name, func(t *testing.T) {
			var status simkubev1.DriverStatus
			for _, n := range c.deviations {
				var run simkubev1.RunSummary
				if n != unknown {
					run.Deviations = &n
				}
				status.Summaries = append(status.Summaries, run)
			}
			if got := results.StatusAssessment(&status); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := results.StatusAssessment(nil); got != "" {
		t.Errorf("without a driver: got %q, want nothing", got)
	}
}
