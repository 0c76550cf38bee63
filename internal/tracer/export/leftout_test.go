package export

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRun_LeftOut counts objects once, however many versions they have, and only those of the
// window.
func TestRun_LeftOut(t *testing.T) {
	h := &history{begin: 1_000, now: 300_000}
	h.apply(50_000, "Deployment a/web", 1)
	h.apply(51_000, "ReplicaSet a/web-1", 1, keyOf("Deployment a/web"))
	h.apply(52_000, "Deployment a/gone", 1)
	h.delete(53_000, "Deployment a/gone")
	h.apply(54_000, "Deployment b/other", 1)
	h.apply(55_000, "Deployment c/mine", 1)
	h.apply(56_000, "Node n1", 1)
	h.apply(110_000, "Deployment a/web", 2)
	h.apply(111_000, "Deployment a/new", 1)
	h.apply(112_000, "Deployment a/new", 2)
	h.delete(113_000, "Deployment b/other")
	h.apply(200_000, "Deployment b/late", 1)
	for name, test := range map[string]struct {
		filters Filters
		want    map[string]int64
	}{
		"no filter":        {Filters{}, nil},
		"labels":           {Filters{ExcludedLabels: selectors(t, "app=x")}, nil},
		"excluded":         {Filters{ExcludedNamespaces: []string{"a", "none"}}, map[string]int64{"a": 2}},
		"all but included": {Filters{IncludedNamespaces: []string{"c"}}, map[string]int64{"a": 2, "b": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, memory := range []int{0, 1} {
				_, summary := mustRun(t, h, Request{Start: 100, End: 200, Filters: test.filters}, Options{memory: memory})
				if diff := cmp.Diff(test.want, summary.LeftOut); diff != "" {
					t.Errorf("left out (-want +got):\n%s", diff)
				}
			}
		})
	}
}
