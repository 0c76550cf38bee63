package results

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/packing"
)

// priced returns a change of a node: a price, and the labels that Karpenter sets.
func priced(price float64, pool, capacityType string) func(*corev1.Node) {
	return func(node *corev1.Node) {
		node.Annotations = map[string]string{simkubev1.AnnotationPricePerHour: fmt.Sprint(price)}
		node.Labels = map[string]string{labelNodePool: pool, labelCapacityType: capacityType}
	}
}

func launchedAt(seconds float64) func(*corev1.Node) {
	return func(node *corev1.Node) {
		node.Annotations[simkubev1.AnnotationLaunched] = at(seconds).Format(time.RFC3339Nano)
	}
}

// coreForDollar is an offer of nodes as testNode returns, at a dollar for each core.
func coreForDollar() []packing.Offer {
	return []packing.Offer{{Allocatable: map[string]float64{"cpu": 4, "memory": 8 << 30, "pods": 110}, Price: 4}}
}

// rowAt returns the row of the timeline so many seconds after the start.
func rowAt(t *testing.T, run *Run, seconds float64) TimelineRow {
	t.Helper()
	for _, row := range run.Timeline {
		if row.Time.Equal(trace(seconds)) {
			return row
		}
	}
	t.Fatalf("the timeline has no row at %v s", seconds)
	return TimelineRow{}
}

func TestRun_CostRate(t *testing.T) {
	rec := NewRecorder()
	rec.NodeChanged(at(-5), testNode("fixed"))
	rec.NodeChanged(at(-5), testNode("a", priced(0.1, "general", "on-demand")))
	rec.NodeChanged(at(20), testNode("b", priced(0.2, "general", "spot"), launchedAt(10)))
	rec.NodeChanged(at(30), testNode("c", priced(0.3, "general", "spot")))
	rec.NodeDeleted(at(40), testNode("b"))
	rec.NodeDeleted(at(50), testNode("c"))
	run := rec.Run(info(100))
	onDemand := TimelineCost{"general", "on-demand", 0.1}
	for seconds, want := range map[float64][]TimelineCost{
		0: {onDemand}, 9: {onDemand}, 10: {onDemand, {"general", "spot", 0.2}}, 30: {onDemand, {"general", "spot", 0.5}},
		40: {onDemand, {"general", "spot", 0.3}}, 50: {onDemand}, 100: {onDemand},
	} {
		if diff := cmp.Diff(want, rowAt(t, run, seconds).Costs); diff != "" {
			t.Errorf("%v s (-want +got):\n%s", seconds, diff)
		}
	}
	if got := rowAt(t, run, 30).LowerBoundPerHour; got != 0 || run.Summary.Timing.Cost.LowerBound != 0 {
		t.Errorf("there is a lower bound of %v without a list of prices", got)
	}
}

// The lower bound is that of the pods on nodes with a price, without those of DaemonSets. Each pod
// requests a core.
func TestRun_LowerBound(t *testing.T) {
	web, priceless := ownedBy("StatefulSet", "web"), "fixed"
	for name, c := range map[string]struct {
		do func(*Recorder)
		// dollarSeconds are of the whole window, perHour at 50 s.
		dollarSeconds, perHour float64
	}{
		"no pods": {func(*Recorder) {}, 0, 0},
		"two pods": {func(rec *Recorder) {
			rec.PodChanged(at(10), testPod("a", web, onNode("n")))
			rec.PodChanged(at(40.5), testPod("b", web, onNode("n")))
			rec.PodDeleted(at(80.25), testPod("a", web, onNode("n")))
		}, 70.25 + 59.5, 2},
		"before the window": {func(rec *Recorder) { rec.PodChanged(at(-3), testPod("a", web, onNode("n"))) }, 100, 1},
		"finished": {func(rec *Recorder) {
			rec.PodChanged(at(10), testPod("a", web, onNode("n")))
			rec.PodChanged(at(30), testPod("a", web, onNode("n"), inPhase(corev1.PodSucceeded)))
		}, 20, 0},
		"waiting":                   {func(rec *Recorder) { rec.PodChanged(at(10), testPod("a", web)) }, 0, 0},
		"of a DaemonSet":            {func(rec *Recorder) { rec.PodChanged(at(10), testPod("a", ownedBy("DaemonSet", "agent"), onNode("n"))) }, 0, 0},
		"on a node without a price": {func(rec *Recorder) { rec.PodChanged(at(10), testPod("a", web, onNode(priceless))) }, 0, 0},
		"longer than their node": {func(rec *Recorder) {
			rec.PodChanged(at(10), testPod("a", web, onNode("n")))
			rec.NodeDeleted(at(20), testNode("n"))
			rec.PodDeleted(at(70), testPod("a", web, onNode("n")))
		}, 10, 0},
		"on a second node of the name": {func(rec *Recorder) {
			rec.PodChanged(at(10), testPod("a", web, onNode("n")))
			rec.NodeDeleted(at(20), testNode("n"))
			rec.NodeChanged(at(30), testNode("n", priced(4, "p", "spot"), func(node *corev1.Node) { node.UID = "second" }))
			rec.PodChanged(at(40), testPod("b", web, onNode("n")))
			rec.PodDeleted(at(60), testPod("a", web, onNode("n")))
		}, 10 + 60, 1},
	} {
		t.Run(name, func(t *testing.T) {
			rec := NewRecorder()
			rec.NodeChanged(at(-5), testNode("n", priced(4, "p", "spot")))
			rec.NodeChanged(at(-5), testNode(priceless))
			c.do(rec)
			in := info(100)
			in.Times.Speed, in.Offers = 10, coreForDollar()
			run := rec.Run(in)
			want := round(c.dollarSeconds * in.Times.Speed / 3600)
			if got := run.Summary.Timing.Cost.LowerBound; math.Abs(got-want) > 1e-6 {
				t.Errorf("lower bound: got $%v, want $%v", got, want)
			}
			if got := rowAt(t, run, 500).LowerBoundPerHour; got != c.perHour {
				t.Errorf("at 50 s: got $%v per hour, want $%v", got, c.perHour)
			}
		})
	}
}

// The bound is never above the cost of nodes that are on the list and have room for their pods,
// also if demand changes between two rows of the timeline.
func TestRun_LowerBoundIsLower(t *testing.T) {
	offers := append(coreForDollar(), packing.Offer{Allocatable: map[string]float64{"cpu": 1, "memory": 16 << 30, "pods": 110}, Price: 3})
	above := 0
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 0))
		rec := NewRecorder()
		used := map[int]bool{}
		for i := range 40 {
			// A node of its own for up to four pods, for a part of the hour.
			name := fmt.Sprintf("n%d", i)
			from := 3000 * random.Float64()
			to := from + 500*random.Float64()
			rec.NodeChanged(at(from), testNode(name, priced(4, "p", "spot")))
			used[i] = true
			for p := range 1 + random.IntN(4) {
				rec.PodChanged(at(from+1), testPod(fmt.Sprintf("%s-%d", name, p), ownedBy("StatefulSet", "web"), onNode(name)))
			}
			rec.NodeDeleted(at(to), testNode(name))
		}
		in := info(3600)
		in.Offers = offers
		cost := rec.Run(in).Summary.Timing.Cost
		if ratio := cost.Ratio(); ratio < 1 {
			t.Errorf("seed %d: the nodes cost %v, less than the bound %v", seed, cost.Total, cost.LowerBound)
		} else if ratio < 3 {
			above++
		}
	}
	if above < 20 {
		t.Errorf("the bound is near the cost in %d of 30 runs: the test shows little", above)
	}
}

func TestCost_By(t *testing.T) {
	c := &Cost{Groups: []CostGroup{
		{NodePool: "p", InstanceType: "big", CapacityType: "spot", Zone: "a", Nodes: 1, NodeHours: 2, Cost: 6},
		{NodePool: "p", InstanceType: "big", CapacityType: "on-demand", Zone: "b", Nodes: 2, NodeHours: 1, Cost: 5},
		{InstanceType: "small", CapacityType: "on-demand", Zone: "a", Nodes: 4, NodeHours: 4, Cost: 4},
	}}
	for dimension, want := range map[CostDimension][]CostGroup{
		CostByNodePool:     {{NodePool: "p", Nodes: 3, NodeHours: 3, Cost: 11}, {Nodes: 4, NodeHours: 4, Cost: 4}},
		CostByInstanceType: {{InstanceType: "big", Nodes: 3, NodeHours: 3, Cost: 11}, {InstanceType: "small", Nodes: 4, NodeHours: 4, Cost: 4}},
		CostByCapacityType: {{CapacityType: "on-demand", Nodes: 6, NodeHours: 5, Cost: 9}, {CapacityType: "spot", Nodes: 1, NodeHours: 2, Cost: 6}},
		CostByZone:         {{Zone: "a", Nodes: 5, NodeHours: 6, Cost: 10}, {Zone: "b", Nodes: 2, NodeHours: 1, Cost: 5}},
	} {
		if diff := cmp.Diff(want, c.By(dimension)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dimension, diff)
		}
	}
	if got := (CostGroup{Nodes: 4}).Name(CostByNodePool); got != "other" {
		t.Errorf("nodes without a pool are of %q", got)
	}
}
