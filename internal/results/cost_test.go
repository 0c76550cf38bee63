package results

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A node costs from the launch of its instance until it is deleted, within the window, and its
// hours are those of the trace.
func TestCostOf(t *testing.T) {
	start := at(0)
	w := window{start: instantOf(start), end: instantOf(start.Add(time.Hour)), times: TimeMap{ClockStart: start, TraceStart: start, Speed: 2}}
	on := func(minutes int) instant { return instantOf(start.Add(time.Duration(minutes) * time.Minute)) }
	node := func(name string, price float64, launched, created, deleted instant) nodeRecord {
		return nodeRecord{instanceType: name, pool: "p", capacityType: "spot", zone: "a", price: price, launched: launched, created: created, deleted: deleted}
	}
	got := costOf([]nodeRecord{
		node("small", 1, on(30), on(31), 0),
		node("small", 1, on(-30), on(-29), on(15)),
		node("big", 3, on(0), on(1), on(60)),
		node("free", 0, on(0), on(0), 0),
	}, w)
	want := &Cost{Total: 7.5, Groups: []CostGroup{
		{NodePool: "p", InstanceType: "big", CapacityType: "spot", Zone: "a", Nodes: 1, NodeHours: 2, Cost: 6},
		{NodePool: "p", InstanceType: "small", CapacityType: "spot", Zone: "a", Nodes: 2, NodeHours: 1.5, Cost: 1.5},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := costOf([]nodeRecord{node("free", 0, on(0), on(0), 0)}, w); got != nil {
		t.Errorf("nodes without a price cost %+v", got)
	}
}
