package export

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/order"
	"simkube.io/simkube/trace"
)

// An exported trace says in which order an object was applied and deleted within a second, and for
// how long it existed.
func TestRun_OrderWithinASecond(t *testing.T) {
	h := &history{begin: 1_000, now: 300_000}
	h.apply(50_000, "Deployment a/web", 1)
	h.delete(110_100, "Deployment a/web")
	h.apply(110_300, "Deployment a/web", 2)
	h.apply(110_400, "Deployment a/brief", 1)
	h.delete(110_700, "Deployment a/web")
	h.delete(110_900, "Deployment a/brief")
	h.apply(110_950, "Deployment a/web", 3)
	tr, _ := mustRun(t, h, Request{Start: 100, End: 200}, Options{Extension: true})
	survey := order.NewSurvey()
	for i := range tr.Events {
		survey.Add(&tr.Events[i])
	}
	orders := survey.Orders(&trace.Tail{Index: tr.Index, Lifecycles: tr.Lifecycles, Extension: tr.Extension})
	after := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	want := [][]order.Turn{
		nil,
		{{Object: 0}},
		{{Object: 0, After: after(200)}, {Object: 2, After: after(600)}, {Object: 1}, {Object: 3, After: after(500)}},
		{{Object: 0, After: after(850)}},
	}
	var got [][]order.Turn
	for i := range tr.Events {
		got = append(got, orders.Of(i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
