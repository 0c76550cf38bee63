package results

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// deletingPod has the deletion of a pod requested, with the usual time to stop.
func deletingPod(seconds float64) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		stop := at(seconds + 30)
		pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &metav1.Time{Time: stop}, new(int64(30))
	}
}

func deletingNode(seconds float64) func(*corev1.Node) {
	return func(node *corev1.Node) { node.DeletionTimestamp = &metav1.Time{Time: at(seconds)} }
}

func disruptedFor(reason string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reason,
		})
	}
}

// TestRecorder_Moved records pods on a node that is drained at 20 s and removed at 40 s.
func TestRecorder_Moved(t *testing.T) {
	web := ownedBy("StatefulSet", "web")
	placed, running := onNode("n"), inPhase(corev1.PodRunning)
	replaced := func(rec *Recorder, seconds float64) { rec.PodChanged(at(seconds), testPod("new", web)) }
	drain := func(rec *Recorder) { rec.NodeChanged(at(20), testNode("n", deletingNode(20))) }
	for name, c := range map[string]struct {
		owner func(*corev1.Pod)
		do    func(*Recorder)
		want  PodCounts
	}{
		"evicted": {web, func(rec *Recorder) {
			drain(rec)
			rec.PodChanged(at(21), testPod("p", web, placed, running, disruptedFor("EvictionByEvictionAPI"), deletingPod(21)))
			replaced(rec, 21)
			rec.PodDeleted(at(30), testPod("p", web, placed, running, disruptedFor("EvictionByEvictionAPI"), deletingPod(21)))
		}, PodCounts{Created: 2, Scheduled: 1, NeverScheduled: 1, Ran: 1, Deleted: 1, Disrupted: 1, Moved: 1}},
		"deleted from a node that is drained": {web, func(rec *Recorder) {
			drain(rec)
			rec.PodDeleted(at(22), testPod("p", web, placed, running))
			replaced(rec, 23)
		}, PodCounts{Created: 2, Scheduled: 1, NeverScheduled: 1, Ran: 1, Deleted: 1, Moved: 1}},
		"its node is gone": {web, func(rec *Recorder) {
			rec.NodeDeleted(at(40), testNode("n"))
			rec.PodChanged(at(45), testPod("p", web, placed, inPhase(corev1.PodFailed), disruptedFor("DeletionByPodGC")))
			rec.PodDeleted(at(45), testPod("p", web, placed, inPhase(corev1.PodFailed)))
			replaced(rec, 46)
		}, PodCounts{Created: 2, Scheduled: 1, NeverScheduled: 1, Ran: 1, Failed: 1, Deleted: 1, Disrupted: 1, Moved: 1}},
		"not replaced": {web, func(rec *Recorder) {
			replaced(rec, 19) // before
			drain(rec)
			rec.PodDeleted(at(22), testPod("p", web, placed, running))
		}, PodCounts{Created: 2, Scheduled: 1, NeverScheduled: 1, Ran: 1, Deleted: 1}},
		"replaced for another reason": {web, func(rec *Recorder) {
			rec.PodChanged(at(19), testPod("p", web, placed, running, deletingPod(19)))
			drain(rec)
			replaced(rec, 20)
			rec.PodDeleted(at(25), testPod("p", web, placed, running, deletingPod(19)))
		}, PodCounts{Created: 2, Scheduled: 1, NeverScheduled: 1, Ran: 1, Deleted: 1}},
		"preempted": {web, func(rec *Recorder) {
			rec.PodChanged(at(19), testPod("p", web, placed, running, disruptedFor("PreemptionByScheduler"), deletingPod(19)))
			replaced(rec, 20)
		}, PodCounts{Created: 2, Scheduled: 1, NeverScheduled: 1, Ran: 1, Disrupted: 1}},
		"finished before": {web, func(rec *Recorder) {
			rec.PodChanged(at(15), testPod("p", web, placed, inPhase(corev1.PodSucceeded)))
			drain(rec)
			rec.PodDeleted(at(22), testPod("p", web, placed, inPhase(corev1.PodSucceeded)))
			replaced(rec, 23)
		}, PodCounts{Created: 2, Scheduled: 1, NeverScheduled: 1, Ran: 1, Succeeded: 1, Deleted: 1}},
		"of a DaemonSet": {ownedBy("DaemonSet", "agent"), func(rec *Recorder) {
			agent := ownedBy("DaemonSet", "agent")
			rec.NodeDeleted(at(40), testNode("n"))
			rec.PodChanged(at(45), testPod("p", agent, placed, inPhase(corev1.PodFailed), disruptedFor("DeletionByPodGC")))
			rec.PodDeleted(at(45), testPod("p", agent, placed, inPhase(corev1.PodFailed), disruptedFor("DeletionByPodGC")))
			rec.PodChanged(at(50), testPod("elsewhere", agent))
		}, PodCounts{Created: 2, Scheduled: 1, NeverScheduled: 1, Ran: 1, Deleted: 1}},
		"of a DaemonSet, failed by itself": {ownedBy("DaemonSet", "agent"), func(rec *Recorder) {
			rec.PodChanged(at(15), testPod("p", ownedBy("DaemonSet", "agent"), placed, inPhase(corev1.PodFailed)))
			drain(rec)
		}, PodCounts{Created: 1, Scheduled: 1, Ran: 1, Failed: 1}},
		"on another node with that name": {web, func(rec *Recorder) {
			rec.NodeDeleted(at(40), testNode("n"))
			rec.NodeChanged(at(50), testNode("n", func(node *corev1.Node) { node.UID = "second" }))
			rec.PodChanged(at(51), testPod("q", web, placed, running))
			rec.PodDeleted(at(52), testPod("q", web, placed, running))
			replaced(rec, 53)
		}, PodCounts{Created: 3, Scheduled: 2, NeverScheduled: 1, Ran: 2, Deleted: 1}},
		"after the end": {web, func(rec *Recorder) {
			rec.NodeChanged(at(101), testNode("n", deletingNode(101)))
			rec.PodDeleted(at(102), testPod("p", web, placed, running))
			replaced(rec, 103)
		}, PodCounts{Created: 1, Scheduled: 1, Ran: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			rec := NewRecorder()
			rec.NodeChanged(at(1), testNode("n"))
			rec.PodChanged(at(2), testPod("p", c.owner, placed, running))
			c.do(rec)
			if diff := cmp.Diff(c.want, rec.Run(info(100)).Summary.Outcome.Pods); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A pod that is created replaces one other: of two that lost their node, one was not wanted any
// more.
func TestRecorder_MovedOnce(t *testing.T) {
	rec := NewRecorder()
	web := ownedBy("StatefulSet", "web")
	rec.NodeChanged(at(1), testNode("n"))
	for _, name := range []string{"a", "b"} {
		rec.PodChanged(at(2), testPod(name, web, onNode("n")))
	}
	rec.NodeChanged(at(20), testNode("n", deletingNode(20)))
	for _, name := range []string{"a", "b"} {
		rec.PodDeleted(at(21), testPod(name, web, onNode("n")))
	}
	rec.PodChanged(at(21), testPod("c", web))
	if got := rec.Run(info(100)).Summary.Outcome.Pods.Moved; got != 1 {
		t.Errorf("%d pods moved, want 1", got)
	}
}

// A list after a gap has the same times as a watch: those in the objects.
func TestRecorder_MovedInGap(t *testing.T) {
	rec := NewRecorder()
	web := ownedBy("StatefulSet", "web")
	created := func(seconds float64) func(*corev1.Pod) {
		return func(pod *corev1.Pod) { pod.CreationTimestamp = metav1.Time{Time: at(seconds)} }
	}
	rec.NodesListed(at(1), []*corev1.Node{testNode("n")})
	rec.PodsListed(at(2), []*corev1.Pod{testPod("p", web, onNode("n"))})
	rec.NodesListed(at(60), []*corev1.Node{testNode("n", deletingNode(20))})
	rec.PodsListed(at(60), []*corev1.Pod{
		testPod("p", web, onNode("n"), deletingPod(21)), testPod("q", web, created(22)),
	})
	if got := rec.Run(info(100)).Summary.Outcome.Pods.Moved; got != 1 {
		t.Errorf("%d pods moved, want 1", got)
	}
}

func TestRecorder_NodeChurn(t *testing.T) {
	rec := NewRecorder()
	node := func(name string) *corev1.Node { return testNode(name) }
	rec.NodeChanged(at(-5), node("first"))
	for i, seconds := range []float64{10, 20, 30} {
		name := []string{"a", "b", "c"}[i]
		rec.NodeChanged(at(seconds), node(name))
		rec.NodeDeleted(at(3*seconds), node(name))
	}
	rec.NodeChanged(at(95), node("last"))
	rec.NodeChanged(at(200), node("after the end"))
	in := info(100)
	in.Times.Speed = 2
	s := rec.Run(in).Summary
	if want := (NodeCounts{Count: 5, Made: 4, Deleted: 3}); s.Outcome.Nodes != want {
		t.Errorf("got %+v, want %+v", s.Outcome.Nodes, want)
	}
	want := &NodeLifetimes{Distribution{Count: 3, Mean: 80, P50: 80, P90: 120, P99: 120, Max: 120}, 40}
	if diff := cmp.Diff(want, s.Timing.Nodes.Lifetime); diff != "" {
		t.Errorf("lifetimes (-want +got):\n%s", diff)
	}
	if got := NewRecorder().Run(info(1)).Summary.Timing.Nodes.Lifetime; got != nil {
		t.Errorf("got lifetimes %+v without a node", got)
	}
}
