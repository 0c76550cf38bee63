package export

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// TestRun_Gaps checks that gaps of several kinds are joined where they overlap, and that one that
// is not over ends with the window, or now.
func TestRun_Gaps(t *testing.T) {
	for name, test := range map[string]struct {
		gaps   []log.Gap
		unsure int64
		end    int64
		want   []trace.Gap
	}{
		"none":                     {nil, 0, 200, nil},
		"of several kinds":         {[]log.Gap{{From: 150_000, To: 152_000}, {From: 120_000, To: 121_000}, {From: 151_000, To: 155_000}, {From: 151_500, To: 151_700}}, 0, 200, []trace.Gap{{From: 120_000, To: 121_000}, {From: 150_000, To: 155_000}}},
		"that meet":                {[]log.Gap{{From: 150_000, To: 152_000}, {From: 152_000, To: 153_000}}, 0, 200, []trace.Gap{{From: 150_000, To: 153_000}}},
		"open to the window's end": {nil, 150_000, 200, []trace.Gap{{From: 150_000, To: 200_000}}},
		"open to now":              {nil, 150_000, 500, []trace.Gap{{From: 150_000, To: 300_000}}},
		"open, over another":       {[]log.Gap{{From: 140_000, To: 160_000}}, 150_000, 200, []trace.Gap{{From: 140_000, To: 200_000}}},
		"open behind the window":   {nil, 200_000, 200, nil},
		"open before the window":   {nil, 50_000, 200, []trace.Gap{{From: 50_000, To: 200_000}}},
	} {
		t.Run(name, func(t *testing.T) {
			h := &history{begin: 1_000, now: 300_000, gaps: test.gaps}
			h.apply(50_000, "Deployment a/web", 1)
			for what, source := range map[string]Source{"a history": h, "a log": h.logged(t)} {
				tr, summary := mustRun(t, source, Request{Start: 100, End: test.end}, Options{Extension: true, Unsure: test.unsure})
				x, err := trace.ParseExtension(tr.Extension)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, x.Gaps); diff != "" || summary.Gaps != int64(len(test.want)) {
					t.Errorf("%s, %d counted (-want +got):\n%s", what, summary.Gaps, diff)
				}
			}
		})
	}
}
