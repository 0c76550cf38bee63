package results

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// onlyPod returns the single row of a run.
func onlyPod(t *testing.T, run *Run) Pod {
	t.Helper()
	if len(run.Pods) != 1 {
		t.Fatalf("got %d pods, want 1: %+v", len(run.Pods), run.Pods)
	}
	return run.Pods[0]
}

func TestRecorder_PodLife(t *testing.T) {
	rec := NewRecorder()
	rec.NodeChanged(at(-5), testNode("n1"))
	rec.PodChanged(at(1), testPod("p"))
	rec.PodChanged(at(1.5), testPod("p", unschedulable("0/1 nodes are available: 1 Insufficient cpu.")))
	rec.PodChanged(at(2), testPod("p", unschedulable("0/1 nodes are available: 1 Insufficient cpu.")))
	rec.PodChanged(at(3), testPod("p", unschedulable("0/1 nodes are available: 1 Too many pods.")))
	rec.PodChanged(at(4.25), testPod("p", onNode("n1")))
	rec.PodChanged(at(6), testPod("p", onNode("n1"), inPhase(corev1.PodRunning)))
	rec.PodChanged(at(30), testPod("p", onNode("n1"), inPhase(corev1.PodSucceeded)))
	rec.PodDeleted(at(40), testPod("p", onNode("n1"), inPhase(corev1.PodSucceeded)))

	want := Pod{
		UID: "uid-p", Namespace: "virtual-web", Name: "p", OriginalNamespace: "web", OwnerKind: "Pod", OwnerName: "p",
		Created: trace(1), Scheduled: trace(4.25), Running: trace(6), Finished: trace(30), Deleted: trace(40),
		Phase: "Succeeded", Node: "n1", CPUMillis: 1000, MemoryBytes: 1 << 30,
		PendingSeconds: 3.25, StartSeconds: 1.75,
		FirstWaitReason: "0/1 nodes are available: 1 Insufficient cpu.",
		LastWaitReason:  "0/1 nodes are available: 1 Too many pods.",
		WaitReasons:     2, WaitClasses: "Insufficient cpu; Too many pods",
	}
	if diff := cmp.Diff(want, onlyPod(t, rec.Run(info(60)))); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}

	t.Run("cut at the end", func(t *testing.T) {
		got := onlyPod(t, rec.Run(info(5)))
		if got.Phase != "Pending" || got.Node != "n1" || !got.Running.IsZero() || !got.Deleted.IsZero() {
			t.Errorf("5 s in: got %+v, want it on its node and not running", got)
		}
		got = onlyPod(t, rec.Run(info(10)))
		if got.Phase != "Running" || !got.Finished.IsZero() {
			t.Errorf("10 s in: got %+v, want it running", got)
		}
		if got := rec.Run(info(0.5)).Pods; len(got) != 0 {
			t.Errorf("before it was created: got %+v", got)
		}
	})
}

func TestRecorder_UnseenStages(t *testing.T) {
	for name, c := range map[string]struct {
		pod                          *corev1.Pod
		scheduled, running, finished time.Time
	}{
		"running at first sight":   {testPod("p", onNode("n"), inPhase(corev1.PodRunning)), trace(2), trace(2), time.Time{}},
		"succeeded at first sight": {testPod("p", onNode("n"), inPhase(corev1.PodSucceeded)), trace(2), trace(2), trace(2)},
		"failed without running":   {testPod("p", inPhase(corev1.PodFailed)), time.Time{}, time.Time{}, trace(2)},
	} {
		t.Run(name, func(t *testing.T) {
			rec := NewRecorder()
			rec.PodChanged(at(2), c.pod)
			got := onlyPod(t, rec.Run(info(10)))
			if got.Created != trace(2) || got.Scheduled != c.scheduled || got.Running != c.running || got.Finished != c.finished {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("deleted at first sight", func(t *testing.T) {
		rec := NewRecorder()
		rec.PodDeleted(at(2), testPod("p"))
		if got := onlyPod(t, rec.Run(info(10))); got.Created != trace(2) || got.Deleted != trace(2) {
			t.Errorf("got %+v, want it counted", got)
		}
	})
}

func TestRecorder_Gap(t *testing.T) {
	created := func(seconds float64) func(*corev1.Pod) {
		return func(pod *corev1.Pod) { pod.CreationTimestamp = metav1.NewTime(at(seconds).Truncate(time.Second)) }
	}
	rec := NewRecorder()
	rec.PodChanged(at(1), testPod("gone"))
	rec.PodChanged(at(2), testPod("stays"))
	rec.PodChanged(at(3.5), testPod("early"))
	// The watch is cut until 20 s.
	rec.PodsListed(at(20), []*corev1.Pod{
		testPod("stays", onNode("n"), inPhase(corev1.PodRunning), func(pod *corev1.Pod) {
			pod.Status.Conditions[0].LastTransitionTime = metav1.NewTime(at(7))
			pod.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{
				Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(at(9))},
			}}}
		}),
		testPod("early", created(3)),
		testPod("new", created(12)),
		testPod("clock ahead", created(300)),
	})
	rec.PodsListed(at(21), []*corev1.Pod{
		testPod("stays", onNode("n")), testPod("early"), testPod("new"), testPod("clock ahead"),
	})

	type life struct{ Created, Scheduled, Running, Deleted time.Time }
	got := map[string]life{}
	for _, p := range rec.Run(info(60)).Pods {
		if _, twice := got[p.Name]; twice {
			t.Errorf("%s is there twice", p.Name)
		}
		got[p.Name] = life{p.Created, p.Scheduled, p.Running, p.Deleted}
	}
	want := map[string]life{
		"gone":        {Created: trace(1), Deleted: trace(20)},
		"stays":       {Created: trace(2), Scheduled: trace(7), Running: trace(9)},
		"early":       {Created: trace(3.5)},
		"new":         {Created: trace(12)},
		"clock ahead": {Created: trace(20)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lives (-want +got):\n%s", diff)
	}
	if c := rec.Counts(); c.Pending != 3 || c.Running != 1 || c.Deleted != 1 {
		t.Errorf("counts: got %+v", c)
	}
}

func TestRecorder_SameNameAgain(t *testing.T) {
	rec := NewRecorder()
	rec.PodChanged(at(1), testPod("db-0", onNode("n")))
	rec.PodDeleted(at(2), testPod("db-0", onNode("n")))
	rec.PodChanged(at(3), testPod("db-0", func(pod *corev1.Pod) { pod.UID = "another" }))
	if got := len(rec.Run(info(10)).Pods); got != 2 {
		t.Errorf("got %d pods, want 2", got)
	}
}

func TestRecorder_Disruption(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*corev1.Pod)
		want   string
	}{
		"preempted": {func(pod *corev1.Pod) {
			pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
				Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonPreemptionByScheduler,
			})
		}, "PreemptionByScheduler"},
		"evicted": {func(pod *corev1.Pod) { pod.Status.Reason = "Evicted" }, "Evicted"},
		"left":    {func(*corev1.Pod) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			rec := NewRecorder()
			rec.PodChanged(at(1), testPod("p", onNode("n")))
			rec.PodDeleted(at(2), testPod("p", onNode("n"), c.change))
			if got := onlyPod(t, rec.Run(info(10))).Disruption; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestRecorder_Counts(t *testing.T) {
	rec := NewRecorder()
	rec.NodeChanged(at(0), testNode("n1"))
	rec.NodeChanged(at(0), testNode("n2", func(n *corev1.Node) { n.Status.Conditions = nil }))
	rec.NodeChanged(at(0), testNode("n3"))
	rec.NodeDeleted(at(1), testNode("n3"))
	for name, change := range map[string][]func(*corev1.Pod){
		"a": nil, "b": {onNode("n1")},
		"c": {onNode("n1"), inPhase(corev1.PodRunning)}, "d": {onNode("n1"), inPhase(corev1.PodRunning)},
		"e": {onNode("n1"), inPhase(corev1.PodSucceeded)}, "f": {onNode("n1"), inPhase(corev1.PodFailed)},
		"g": {onNode("n1")},
	} {
		rec.PodChanged(at(1), testPod(name, change...))
	}
	rec.PodDeleted(at(2), testPod("g", onNode("n1")))
	for i := range 1200 {
		// The first 200 are slow, and out of the window at the end.
		lag := 5 * time.Millisecond
		if i < 200 {
			lag = time.Second
		}
		rec.EventReplayed(Event{Index: i, Lag: lag})
	}
	rec.EventReplayed(Event{Index: 1200, Lag: time.Millisecond, Problems: []Problem{{Category: "absent"}}})

	want := Counts{
		Pending: 1, Starting: 1, Running: 2, Succeeded: 1, Failed: 1, Deleted: 1,
		Nodes: 2, NodesReady: 1, Events: 1201, Problems: 1, LagP99: 5 * time.Millisecond,
	}
	if diff := cmp.Diff(want, rec.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func BenchmarkRecorder_PodLife(b *testing.B) {
	message := "0/50 nodes are available: 50 Insufficient cpu."
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rec := NewRecorder()
	n := 0
	for b.Loop() {
		name := fmt.Sprintf("api-6d5c9-%06d", n)
		owner, hash := ownedBy("ReplicaSet", "api-6d5c9"), labelled(podTemplateHashLabel, "6d5c9")
		rec.PodChanged(at(1), testPod(name, owner, hash))
		rec.PodChanged(at(2), testPod(name, owner, hash, unschedulable(message)))
		rec.PodChanged(at(3), testPod(name, owner, hash, onNode("n1")))
		rec.PodChanged(at(4), testPod(name, owner, hash, onNode("n1"), inPhase(corev1.PodRunning)))
		rec.PodDeleted(at(5), testPod(name, owner, hash, onNode("n1"), inPhase(corev1.PodRunning)))
		n++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "kept-B/pod")
	runtime.KeepAlive(rec)
}
