package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
)

// pricedRun returns an hour of so many node pools, each of which costs a dollar an hour more than
// the one before.
func pricedRun(pools int) *results.Run {
	start := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	run := &results.Run{}
	run.Summary.Run.WindowStart, run.Summary.Run.WindowEnd = start, start.Add(time.Hour)
	cost := &results.Cost{}
	var costs []results.TimelineCost
	for i := range pools {
		name, price := fmt.Sprintf("pool-%02d", i), float64(i+1)
		costs = append(costs, results.TimelineCost{NodePool: name, PricePerHour: price})
		cost.Groups = append(cost.Groups, results.CostGroup{NodePool: name, InstanceType: "m", Nodes: 1, NodeHours: 1, Cost: price})
		cost.Total += price
	}
	run.Summary.Timing.Cost = cost
	for _, at := range []time.Time{start, start.Add(time.Hour)} {
		run.Timeline = append(run.Timeline, results.TimelineRow{Time: at, Costs: costs, LowerBoundPerHour: 0.5})
	}
	return run
}

func builderOf(run *results.Run) *pageBuilder {
	info := run.Summary.Run
	return &pageBuilder{run: run, axis: timeAxis{start: info.WindowStart, end: info.WindowEnd}, points: run.Timeline}
}

// The areas are the kinds of nodes, the most expensive first, and together they are the whole cost,
// however many kinds there are.
func TestCostChart(t *testing.T) {
	for pools, want := range map[int]string{
		1: "pool-00",
		3: "pool-02, pool-01, pool-00",
		6: "pool-05, pool-04, pool-03, pool-02, pool-01, pool-00",
		9: "pool-08, pool-07, pool-06, pool-05, pool-04, Others",
	} {
		run := pricedRun(pools)
		charts := costChart(builderOf(run))
		if len(charts) != 1 {
			t.Fatalf("%d pools: %d charts", pools, len(charts))
		}
		var names []string
		sum := 0.0
		for _, s := range charts[0].Series {
			names = append(names, s.Name)
			sum += s.value(&run.Timeline[0])
		}
		if got := strings.Join(names, ", "); got != want {
			t.Errorf("%d pools: got the areas %s, want %s", pools, got, want)
		}
		if sum != run.Summary.Timing.Cost.Total {
			t.Errorf("%d pools: the areas are %v high, want %v", pools, sum, run.Summary.Timing.Cost.Total)
		}
		// With a list of prices there is a line.
		run.Summary.Timing.Cost.LowerBound = 0.5
		series := costChart(builderOf(run))[0].Series
		if last := series[len(series)-1]; !last.Line || last.value(&run.Timeline[0]) != 0.5 {
			t.Errorf("%d pools: the last series is %s, want the lower bound", pools, last.Name)
		}
	}
	if got := costChart(builderOf(&results.Run{})); got != nil {
		t.Errorf("a run without prices has %d charts of the cost", len(got))
	}
	// Results of an earlier version have a cost, but not over time.
	old := pricedRun(1)
	for i := range old.Timeline {
		old.Timeline[i].Costs = nil
	}
	if got := costChart(builderOf(old)); len(got) != 1 || got[0].Empty == "" {
		t.Errorf("got %+v, want a chart that says why it is empty", got)
	}
}

func TestCostTables(t *testing.T) {
	tables := costTables(pricedRun(14).Summary.Timing.Cost)
	if len(tables) != 2 { // nodes have neither a capacity type nor a zone
		t.Fatalf("got %d tables: %+v", len(tables), tables)
	}
	pools := tables[0]
	if pools.Head != "Node pool" || len(pools.Rows) != maxCostRows || pools.Hidden != 2 {
		t.Errorf("got %d rows of %s, and %d hidden", len(pools.Rows), pools.Head, pools.Hidden)
	}
	want := costRow{Name: "m", Nodes: "14", Hours: "14", Cost: "$105.00", Share: "100%", Bar: 100}
	if diff := cmp.Diff([]costRow{want}, tables[1].Rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := costTables(nil); got != nil {
		t.Errorf("a run without prices has the tables %+v", got)
	}
}

// A page has a part about cost only if nodes have prices.
func TestRender_Cost(t *testing.T) {
	if page := render(t, sample.Day(1)); !strings.Contains(page, ">Cost by capacity type<") || !strings.Contains(page, `id="cost"`) {
		t.Error("the day has no part about cost")
	}
	if page := render(t, sample.Empty()); strings.Contains(page, `id="cost"`) || strings.Contains(page, "Cost by") {
		t.Error("a run without prices has a part about cost")
	}
}
