package results

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// twoNodes records 100 s: node n1 throughout, n2 from 50 s to 90 s; p1 runs on n1 from 10 s to 60
// s, p2 waits from 20 s to 50 s and then runs on n2 until it is deleted at 80 s.
func twoNodes() *Recorder {
	rec := NewRecorder()
	rec.NodeChanged(at(-10), testNode("n1"))
	rec.PodChanged(at(10), testPod("p1", onNode("n1"), inPhase(corev1.PodRunning)))
	rec.PodChanged(at(20), testPod("p2"))
	rec.NodeChanged(at(50), testNode("n2"))
	rec.PodChanged(at(50), testPod("p2", onNode("n2")))
	rec.PodChanged(at(50), testPod("p2", onNode("n2"), inPhase(corev1.PodRunning)))
	rec.PodChanged(at(60), testPod("p1", onNode("n1"), inPhase(corev1.PodSucceeded)))
	rec.PodDeleted(at(80), testPod("p2", onNode("n2"), inPhase(corev1.PodRunning)))
	rec.NodeDeleted(at(90), testNode("n2"))
	return rec
}

// withGPUs adds to that a pod that asks for GPUs.
func withGPUs() *Recorder {
	rec := twoNodes()
	rec.PodChanged(at(20), testPod("p3", func(pod *corev1.Pod) {
		with(pod.Spec.Containers[0].Resources.Requests, map[string]string{"nvidia.com/gpu": "2"})
	}))
	return rec
}

func TestRun_Usage(t *testing.T) {
	for _, speed := range []float64{1, 10} {
		t.Run(fmt.Sprintf("speed %g", speed), func(t *testing.T) {
			in := info(100)
			in.Times.Speed = speed
			timing := twoNodes().Run(in).Summary.Timing

			// n1 has 4 cores and 8 GiB for 100 s, n2 for 40 s; pods ask for a core and a GiB for 50 s and 30
			// s.
			hours := speed / 3600
			wantCPU := ResourceUsage{
				AllocatableHours: round(560 * hours), RequestedHours: round(80 * hours),
				MeanUtilization: round(80.0 / 560), PeakUtilization: 0.25,
				PeakAllocatable: 8, PeakRequested: 2, PeakDemand: 2,
			}
			if diff := cmp.Diff(wantCPU, timing.CPU); diff != "" {
				t.Errorf("CPU (-want +got):\n%s", diff)
			}
			wantMemory := ResourceUsage{
				AllocatableHours: round(1120 * hours), RequestedHours: round(80 * hours),
				MeanUtilization: round(80.0 / 1120), PeakUtilization: 0.125,
				PeakAllocatable: 16, PeakRequested: 2, PeakDemand: 2,
			}
			if diff := cmp.Diff(wantMemory, timing.Memory); diff != "" {
				t.Errorf("memory (-want +got):\n%s", diff)
			}
			wantNodes := NodeUsage{Peak: 2, Mean: 1.4, NodeHours: round(140 * hours)}
			wantNodes.Lifetime = &NodeLifetimes{Distribution{1, 40 * speed, 40 * speed, 40 * speed, 40 * speed, 40 * speed}, 40 * speed}
			if diff := cmp.Diff(wantNodes, timing.Nodes); diff != "" {
				t.Errorf("nodes (-want +got):\n%s", diff)
			}
			wantPods := PodPeaks{PeakExisting: 2, PeakRunning: 2, PeakPending: 1}
			if diff := cmp.Diff(wantPods, timing.Pods); diff != "" {
				t.Errorf("pods (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRun_Timeline(t *testing.T) {
	rec := twoNodes()
	rec.EventReplayed(Event{Index: 0, Started: at(10), Done: at(10), Lag: 5 * time.Millisecond})
	run := rec.Run(info(100))
	if got := len(run.Timeline); got > maxRows+1 {
		t.Errorf("%d rows", got)
	}
	rows := map[time.Time]TimelineRow{}
	for i, row := range run.Timeline {
		rows[row.Time] = row
		if i > 0 && !row.Time.After(run.Timeline[i-1].Time) {
			t.Errorf("row %d is not after the one before: %s", i, row.Time)
		}
	}
	if got, want := run.Timeline[len(run.Timeline)-1].Time, trace(100); !got.Equal(want) {
		t.Errorf("the last row is at %s, want %s", got, want)
	}
	const gi = 1 << 30
	for _, want := range []TimelineRow{
		{
			Time: trace(0), Nodes: 1, NodesReady: 1,
			CPUAllocatableMillis: 4000, MemoryAllocatableBytes: 8 * gi,
			Resources: []TimelineResource{{"pods", 0, 0, 110}},
		},
		{
			Time: trace(10), Running: 1, CreatedTotal: 1, Nodes: 1, NodesReady: 1,
			CPURequestedMillis: 1000, CPUAllocatableMillis: 4000, MemoryRequestedBytes: gi, MemoryAllocatableBytes: 8 * gi,
			Events: 1, LagP99Seconds: 0.005, LagMaxSeconds: 0.005,
			Resources: []TimelineResource{{"pods", 1, 0, 110}},
		},
		{
			Time: trace(30), Pending: 1, PendingMax: 1, Running: 1, CreatedTotal: 2, Nodes: 1, NodesReady: 1,
			CPURequestedMillis: 1000, CPUPendingMillis: 1000, CPUAllocatableMillis: 4000,
			MemoryRequestedBytes: gi, MemoryPendingBytes: gi, MemoryAllocatableBytes: 8 * gi,
			Resources: []TimelineResource{{"pods", 1, 1, 110}},
		},
		{
			Time: trace(50), PendingMax: 1, Running: 2, CreatedTotal: 2, Nodes: 2, NodesReady: 2,
			CPURequestedMillis: 2000, CPUAllocatableMillis: 8000, MemoryRequestedBytes: 2 * gi, MemoryAllocatableBytes: 16 * gi,
			Resources: []TimelineResource{{"pods", 2, 0, 220}},
		},
		{
			Time: trace(100), Succeeded: 1, CreatedTotal: 2, DeletedTotal: 1, Nodes: 1, NodesReady: 1,
			CPUAllocatableMillis: 4000, MemoryAllocatableBytes: 8 * gi,
			Resources: []TimelineResource{{"pods", 0, 0, 110}},
		},
	} {
		if diff := cmp.Diff(want, rows[want.Time]); diff != "" {
			t.Errorf("row at %s (-want +got):\n%s", want.Time, diff)
		}
	}
}

// A pod that waits only between two rows must still be seen in the next one.
func TestRun_PendingBetweenRows(t *testing.T) {
	rec := NewRecorder()
	rec.PodChanged(at(1000.1), testPod("p"))
	rec.PodChanged(at(1000.2), testPod("p", onNode("n")))
	run := rec.Run(info(86400))
	most := int32(0)
	for _, row := range run.Timeline {
		if row.Pending != 0 {
			t.Errorf("pending at %s: got %d", row.Time, row.Pending)
		}
		most = max(most, row.PendingMax)
	}
	if most != 1 {
		t.Errorf("most pending in any interval: got %d, want 1", most)
	}
}

func TestRun_NodeRows(t *testing.T) {
	type row struct {
		Node string
		Time time.Time
		Pods int32
		CPU  int64
		Gone bool
	}
	var got []row
	for _, r := range twoNodes().Run(info(100)).Nodes {
		got = append(got, row{r.Node, r.Time, r.Pods, r.CPUMillis, r.Deleted.Equal(r.Time)})
	}
	want := []row{
		{"n1", trace(-10), 0, 0, false},
		{"n1", trace(10), 1, 1000, false},
		{"n1", trace(60), 0, 0, false},
		{"n2", trace(50), 1, 1000, false},
		{"n2", trace(80), 0, 0, false},
		{"n2", trace(90), 0, 0, true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// Whatever happens in whatever order, counts stay counts, and everything adds up at the end.
func TestRun_RandomHistories(t *testing.T) {
	for seed := range uint64(40) {
		rec := NewRecorder()
		random := rand.New(rand.NewPCG(seed, 1))
		for step := range 400 {
			now := at(float64(step) / 3)
			name := fmt.Sprintf("p%d", random.IntN(30))
			switch random.IntN(9) {
			case 0, 1:
				rec.PodChanged(now, testPod(name))
			case 2:
				rec.PodChanged(now, testPod(name, unschedulable("0/1 nodes are available: 1 Insufficient cpu.")))
			case 3:
				rec.PodChanged(now, testPod(name, onNode("n1"), inPhase(corev1.PodRunning)))
			case 4:
				rec.PodChanged(now, testPod(name, onNode("n1"), inPhase(corev1.PodFailed)))
			case 5:
				rec.PodDeleted(now, testPod(name))
			case 6:
				rec.NodeChanged(now, testNode("n1"))
			case 7:
				rec.NodeDeleted(now, testNode("n1"))
			case 8:
				rec.PodsListed(now, []*corev1.Pod{testPod("p1"), testPod("p2", onNode("n1"))})
			}
		}
		run := rec.Run(info(140))
		for _, r := range run.Timeline {
			if min(r.Pending, r.Starting, r.Running, r.Succeeded, r.Failed, r.Nodes, r.NodesReady) < 0 ||
				min(r.CPURequestedMillis, r.CPUPendingMillis, r.CPUAllocatableMillis) < 0 {
				t.Fatalf("seed %d: negative at %s: %+v", seed, r.Time, r)
			}
		}
		last, counts := run.Timeline[len(run.Timeline)-1], rec.Counts()
		got := Counts{
			Pending: int(last.Pending), Starting: int(last.Starting), Running: int(last.Running),
			Succeeded: int(last.Succeeded), Failed: int(last.Failed), Deleted: int(last.DeletedTotal),
			Nodes: int(last.Nodes), NodesReady: int(last.NodesReady),
		}
		if diff := cmp.Diff(counts, got); diff != "" {
			t.Fatalf("seed %d: the live counts and the last row differ (-live +row):\n%s", seed, diff)
		}
	}
}

func TestGridOf(t *testing.T) {
	for length, want := range map[time.Duration]int{
		0: 1, time.Millisecond: 2, time.Second: 101, 100 * time.Second: 1001, time.Hour: 1801, 24 * time.Hour: 1441, 900 * 24 * time.Hour: 1801,
	} {
		w := window{start: instantOf(start), end: instantOf(start.Add(length))}
		if got := len(gridOf(w)); got != want {
			t.Errorf("%s: got %d instants, want %d", length, got, want)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	rec := NewRecorder()
	for i := range 50 {
		rec.NodeChanged(at(0), testNode(fmt.Sprintf("n%d", i)))
	}
	const pods = 50_000
	for i := range pods {
		name, now := fmt.Sprintf("p%d", i), float64(i)
		rec.PodChanged(at(now), testPod(name))
		rec.PodChanged(at(now+1), testPod(name, onNode(fmt.Sprintf("n%d", i%50)), inPhase(corev1.PodRunning)))
		rec.PodDeleted(at(now+300), testPod(name))
	}
	in := info(pods + 1000)
	b.ReportAllocs()
	for b.Loop() {
		rec.Run(in)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/pods, "ns/pod")
}
