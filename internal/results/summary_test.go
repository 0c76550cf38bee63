package results

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestTimeMap(t *testing.T) {
	m := TimeMap{ClockStart: start, TraceStart: traceStart, Speed: 60}
	for name, c := range map[string]struct {
		m       TimeMap
		in, out time.Time
	}{
		"start":     {m, start, traceStart},
		"later":     {m, at(1.5), trace(90)},
		"earlier":   {m, at(-1), trace(-60)},
		"never":     {m, time.Time{}, time.Time{}},
		"identity":  {TimeMap{}, at(3), at(3)},
		"no speed":  {TimeMap{ClockStart: start, TraceStart: traceStart}, at(3), trace(3)},
		"elsewhere": {m, at(1).In(time.FixedZone("", 3600)), trace(60)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.m.Trace(c.in); got != c.out {
				t.Errorf("got %s, want %s", got, c.out)
			}
		})
	}
}

func TestDistributionOf(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[99-i] = float64(i + 1)
	}
	for name, c := range map[string]struct {
		values []float64
		want   Distribution
	}{
		"none":    {nil, Distribution{}},
		"one":     {[]float64{3}, Distribution{1, 3, 3, 3, 3, 3}},
		"two":     {[]float64{4, 2}, Distribution{2, 3, 2, 4, 4, 4}},
		"hundred": {hundred, Distribution{100, 50.5, 50, 90, 99, 100}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, distributionOf(c.values)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// history records 60 pods of four owners, in an order and at times that the seed decides.
func history(seed uint64) *Recorder {
	rec := NewRecorder()
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range 3 {
		rec.NodeChanged(at(-1), testNode(fmt.Sprintf("n%d", i)))
	}
	for _, i := range random.Perm(60) {
		name := fmt.Sprintf("p%d", i)
		owner := ownedBy("StatefulSet", fmt.Sprintf("s%d", i%4))
		node := onNode(fmt.Sprintf("n%d", random.IntN(3)))
		created, wait := 100*random.Float64(), 5*random.Float64()
		rec.PodChanged(at(created), testPod(name, owner))
		if i == 7 {
			rec.PodChanged(at(created+1), testPod(name, owner, unschedulable("0/3 nodes are available: 3 Insufficient memory.")))
			continue
		}
		rec.PodChanged(at(created+wait), testPod(name, owner, node))
		rec.PodChanged(at(created+wait+1), testPod(name, owner, node, inPhase(corev1.PodRunning)))
		if i%10 == 0 {
			rec.PodChanged(at(created+wait+20), testPod(name, owner, node, inPhase(corev1.PodFailed)))
		}
	}
	for i := range 5 {
		problems := []Problem{{Category: "absent", Object: "a"}, {Category: "absent", Object: "b"}, {Category: "rejected", Object: "c"}}
		random.Shuffle(len(problems), func(i, j int) { problems[i], problems[j] = problems[j], problems[i] })
		rec.EventReplayed(Event{
			Index: i, TraceTime: trace(float64(i)), Started: at(float64(i)), Done: at(float64(i)),
			Lag: time.Duration(random.IntN(9)) * time.Millisecond, Applied: 2, Problems: problems,
		})
	}
	return rec
}

func TestSummary_Outcome(t *testing.T) {
	first := history(1).Run(info(200))
	if diff := cmp.Diff(first, history(1).Run(info(200))); diff != "" {
		t.Errorf("the same history gave another run:\n%s", diff)
	}
	second := history(2).Run(info(200))
	if diff := cmp.Diff(first.Summary.Outcome, second.Summary.Outcome); diff != "" {
		t.Errorf("the outcome depends on times (-first +second):\n%s", diff)
	}
	if cmp.Equal(first.Summary.Timing, second.Summary.Timing) {
		t.Error("two histories with other times have the same timing")
	}

	got := first.Summary.Outcome
	got.Problems.First = got.Problems.First[:1]
	want := Outcome{
		Events: EventCounts{Replayed: 5, Applied: 10},
		Pods:   PodCounts{Created: 60, Scheduled: 59, Ran: 59, Failed: 6, NeverScheduled: 1},
		Nodes:  NodeCounts{Count: 3},
		Problems: ProblemCounts{
			Total:      15,
			ByCategory: []CategoryCount{{"absent", 10}, {"rejected", 5}},
			First:      []Problem{{Category: "absent", Object: "a", Time: trace(0)}},
		},
		Deviations: &Deviations{
			Total:      4,
			ByCategory: []CategoryCount{{"absent", 2}, {NotPlaced, 1}, {"rejected", 1}},
			First: []Deviation{
				{Category: "absent", Object: "a", Count: 5},
				{Category: "absent", Object: "b", Count: 5},
				{
					Category: NotPlaced, Owner: &Owner{"web", "StatefulSet", "s3"}, Count: 1, Action: placeAction,
					Reason: "1 pod never got a node: 0/3 nodes are available: 3 Insufficient memory.",
				},
				{Category: "rejected", Object: "c", Count: 5, Action: problemActions["rejected"]},
			},
		},
		ByOwner: []OwnerCounts{
			{Owner: Owner{"web", "StatefulSet", "s0"}, Pods: 15, Failed: 3, CPUMillis: 1000, MemoryBytes: 1 << 30},
			{Owner: Owner{"web", "StatefulSet", "s1"}, Pods: 15, CPUMillis: 1000, MemoryBytes: 1 << 30},
			{Owner: Owner{"web", "StatefulSet", "s2"}, Pods: 15, Failed: 3, CPUMillis: 1000, MemoryBytes: 1 << 30},
			{Owner: Owner{"web", "StatefulSet", "s3"}, Pods: 15, NeverScheduled: 1, CPUMillis: 1000, MemoryBytes: 1 << 30},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

func TestSummary_Waits(t *testing.T) {
	rec := NewRecorder()
	cpu := "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu."
	rec.PodChanged(at(0), testPod("quick"))
	rec.PodChanged(at(0.5), testPod("quick", onNode("n")))
	rec.PodChanged(at(10), testPod("slow"))
	rec.PodChanged(at(11), testPod("slow", unschedulable(cpu)))
	rec.PodChanged(at(40), testPod("slow", onNode("n")))
	rec.PodChanged(at(20), testPod("never"))
	rec.PodChanged(at(21), testPod("never", unschedulable(cpu)))
	rec.PodChanged(at(30), testPod("given up"))
	rec.PodDeleted(at(35), testPod("given up"))
	timing := rec.Run(info(100)).Summary.Timing

	wantPending := Waits{
		Distribution: Distribution{Count: 4, Mean: 28.875, P50: 5, P90: 80, P99: 80, Max: 80},
		OverSecond:   3, Unschedulable: 2,
	}
	if diff := cmp.Diff(wantPending, timing.Pending); diff != "" {
		t.Errorf("pending (-want +got):\n%s", diff)
	}
	var order []string
	for _, w := range timing.WorstWaits {
		order = append(order, fmt.Sprintf("%s %g %t", w.Name, w.Seconds, w.Scheduled))
	}
	if diff := cmp.Diff([]string{"never 80 false", "slow 30 true", "given up 5 false"}, order); diff != "" {
		t.Errorf("worst waits (-want +got):\n%s", diff)
	}
	wantReasons := []ReasonCount{
		{Reason: "Insufficient cpu", Mainly: 2, Pods: 2, Seconds: 110},
		{Reason: "had untolerated taint(s)", Pods: 2, Seconds: 110},
	}
	if diff := cmp.Diff(wantReasons, timing.WaitReasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	wantOwners := []OwnerWaits{
		{Owner: Owner{"web", "Pod", "given up"}, OverSecond: 1, Mean: 5, P99: 5, Max: 5},
		{Owner: Owner{"web", "Pod", "never"}, OverSecond: 1, Mean: 80, P99: 80, Max: 80},
		{Owner: Owner{"web", "Pod", "slow"}, OverSecond: 1, Mean: 30, P99: 30, Max: 30},
	}
	if diff := cmp.Diff(wantOwners, timing.PendingByOwner); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
}

func TestSummary_ManyBarePods(t *testing.T) {
	rec := NewRecorder()
	for i := range maxBarePods + 1 {
		rec.PodChanged(at(1), testPod(fmt.Sprintf("p%d", i)))
	}
	got := rec.Run(info(10)).Summary.Outcome.ByOwner
	if len(got) != 1 || got[0].Name != "*" || got[0].Pods != maxBarePods+1 {
		t.Errorf("got %+v, want one entry for all", got)
	}
}
