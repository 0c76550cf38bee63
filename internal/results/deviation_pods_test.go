package results

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// ranPod is a pod of a replay, in seconds from its start. A zero end means that it runs on, a
// negative start that it never got a node.
type ranPod struct {
	start, end float64
	// deleted is whether it was deleted at its end, without having finished.
	deleted bool
	message string
}

func ran(start, end float64) ranPod     { return ranPod{start: start, end: end} }
func removed(start, end float64) ranPod { return ranPod{start: start, end: end, deleted: true} }
func pending(message string) ranPod     { return ranPod{start: -1, message: message} }

// lived is a recorded lifetime in seconds from the start of the trace; a zero end means that the
// pod ran on.
func lived(start, end float64) Lifetime {
	l := Lifetime{Start: trace(start)}
	if end != 0 {
		l.End = trace(end)
	}
	return l
}

// replayed returns the run of an owner's pods until second 100.
func replayed(kind, group string, pods []ranPod, in Info) *Run {
	rec := NewRecorder()
	rec.GroupPods(func(*corev1.Pod) string { return group })
	for i, p := range pods {
		name := fmt.Sprintf("p%d", i)
		owner := ownedBy(kind, "o")
		if p.start < 0 && p.message == "" {
			rec.PodChanged(at(1), testPod(name, owner))
			continue
		}
		if p.start < 0 {
			rec.PodChanged(at(1), testPod(name, owner, unschedulable(p.message)))
			continue
		}
		rec.PodChanged(at(p.start), testPod(name, owner, onNode("n"), inPhase(corev1.PodRunning)))
		switch {
		case p.deleted:
			rec.PodDeleted(at(p.end), testPod(name, owner, onNode("n"), inPhase(corev1.PodRunning)))
		case p.end != 0:
			rec.PodChanged(at(p.end), testPod(name, owner, onNode("n"), inPhase(corev1.PodSucceeded)))
		}
	}
	return rec.Run(in)
}

func TestRecorder_ComparesPods(t *testing.T) {
	full := "0/1 nodes are available: 1 Insufficient cpu."
	for name, tc := range map[string]struct {
		kind     string
		recorded []Lifetime
		pods     []ranPod
		asked    int
		change   func(*Recording)
		want     map[string]int // pods by category
	}{
		"equal":                     {recorded: []Lifetime{lived(1, 40), lived(1, 0)}, pods: []ranPod{ran(0, 39), ran(0, 0)}, asked: 2},
		"seconds are rounded":       {recorded: []Lifetime{lived(1, 40)}, pods: []ranPod{ran(0, 41.9)}},
		"lengths in another order":  {recorded: []Lifetime{lived(1, 40), lived(1, 60)}, pods: []ranPod{ran(0, 59), ran(0, 39)}},
		"one ran on":                {recorded: []Lifetime{lived(1, 40), lived(1, 60)}, pods: []ranPod{ran(0, 39), ran(0, 0)}, want: map[string]int{EndedLate: 1}},
		"longer":                    {recorded: []Lifetime{lived(1, 40)}, pods: []ranPod{ran(0, 50)}, want: map[string]int{EndedLate: 1}},
		"shorter":                   {recorded: []Lifetime{lived(1, 40), lived(1, 40)}, pods: []ranPod{ran(0, 20), ran(0, 39)}, want: map[string]int{EndedEarly: 1}},
		"ended and should not have": {recorded: []Lifetime{lived(1, 0)}, pods: []ranPod{ran(0, 20)}, want: map[string]int{EndedEarly: 1}},
		"deleted without grace":     {recorded: []Lifetime{lived(1, 62)}, pods: []ranPod{removed(0, 31)}},
		"deleted far too early":     {recorded: []Lifetime{lived(1, 90)}, pods: []ranPod{removed(0, 31)}, want: map[string]int{EndedEarly: 1}},
		"late, so not over yet":     {recorded: []Lifetime{lived(1, 90)}, pods: []ranPod{ran(60, 0)}},
		"fewer":                     {recorded: []Lifetime{lived(1, 0), lived(1, 0), lived(2, 0)}, pods: []ranPod{ran(0, 0)}, want: map[string]int{NotRun: 2}},
		"none":                      {recorded: []Lifetime{lived(1, 0)}, want: map[string]int{NotRun: 1}},
		"never placed":              {recorded: []Lifetime{lived(1, 0), lived(1, 0)}, pods: []ranPod{ran(0, 0), pending(full)}, asked: 2, want: map[string]int{NotRun: 1}},
		"pending as recorded":       {recorded: []Lifetime{lived(1, 0)}, pods: []ranPod{ran(0, 0), pending(full)}, asked: 1},
		"more":                      {recorded: []Lifetime{lived(1, 50)}, pods: []ranPod{ran(0, 49), ran(49, 98)}, asked: 1, want: map[string]int{RanMore: 1}},
		"more and longer":           {recorded: []Lifetime{lived(1, 50)}, pods: []ranPod{ran(0, 70), ran(0, 0)}, asked: 1, want: map[string]int{RanMore: 1, EndedLate: 1}},
		"asked for more":            {recorded: []Lifetime{lived(1, 50)}, pods: []ranPod{ran(0, 49), ran(0, 49), ran(0, 49)}, asked: 3},
		"asked for more, no room":   {recorded: []Lifetime{lived(1, 50)}, pods: []ranPod{ran(0, 49), ran(0, 49), pending(full)}, asked: 3, want: map[string]int{NotPlaced: 1}},
		"asked for fewer":           {recorded: []Lifetime{lived(1, 0), lived(1, 0), lived(1, 0)}, pods: []ranPod{ran(0, 0)}, asked: 1},
		"a Job that failed once":    {kind: "Job", recorded: []Lifetime{lived(1, 10), lived(10, 20)}, pods: []ranPod{ran(0, 9)}, asked: 1, want: map[string]int{NotRun: 1}},
		"a Job with parallel pods":  {kind: "Job", recorded: []Lifetime{lived(1, 10), lived(30, 39)}, pods: []ranPod{ran(0, 9), ran(0, 9)}, asked: 2},
		"a pod on other nodes":      {kind: "DaemonSet", recorded: []Lifetime{lived(1, 0), lived(1, 30)}, pods: []ranPod{ran(0, 0), ran(0, 0), ran(0, 0)}, asked: 1},
		"a pod on no node":          {kind: "DaemonSet", recorded: []Lifetime{lived(1, 0)}, asked: 1, want: map[string]int{NotRun: 1}},
		"a Job from before":         {kind: "CronJob", recorded: []Lifetime{lived(-5, 20), lived(60, 70)}, pods: []ranPod{ran(0, 20), ran(60, 70)}, asked: 1},
		"a Job from before only":    {kind: "CronJob", recorded: []Lifetime{lived(-5, 20), lived(60, 70)}, pods: []ranPod{ran(60, 70)}, asked: 1, want: map[string]int{NotRun: 1}},
		"due just before the end":   {kind: "CronJob", recorded: []Lifetime{lived(1, 20)}, pods: []ranPod{ran(0, 19), ran(95, 0)}, asked: 1},
		"started a little earlier":  {kind: "CronJob", recorded: []Lifetime{lived(104, 300)}, pods: []ranPod{ran(100, 0)}, asked: 1},
		"ended before the trace":    {recorded: []Lifetime{lived(-50, -10), lived(1, 0)}, pods: []ranPod{ran(0, 0)}, asked: 1},
		"began before the trace":    {recorded: []Lifetime{lived(-50, 20), lived(-50, 20)}, pods: []ranPod{ran(0, 20), ran(0, 70)}, asked: 2},
		"never started":             {recorded: []Lifetime{lived(1, 0)}, pods: []ranPod{ran(0, 0), ran(0, 0)}, change: func(r *Recording) { r.Owners[0].Unstarted = 1 }},
		"after the end":             {recorded: []Lifetime{lived(1, 0), lived(200, 300)}, pods: []ranPod{ran(0, 0)}, asked: 1},
		"cut when one started":      {recorded: []Lifetime{lived(1, 0), lived(99, 300)}, pods: []ranPod{ran(0, 0)}, change: func(r *Recording) { r.Whole = false }},
	} {
		t.Run(name, func(t *testing.T) {
			kind := tc.kind
			if kind == "" {
				kind = "StatefulSet"
			}
			owner := Owner{"web", kind, "o"}
			recording := &Recording{
				Owners: []RecordedOwner{{Group: "group", Owner: owner, Pods: tc.recorded, Asked: tc.asked}},
				Start:  trace(0), End: trace(100), Whole: true, Tolerance: 3 * time.Second,
			}
			if tc.change != nil {
				tc.change(recording)
			}
			in := info(100)
			in.Recording = recording
			got := map[string]int{}
			for _, d := range replayed(kind, "group", tc.pods, in).Summary.Outcome.Deviations.First {
				if d.Owner == nil || *d.Owner != owner || d.Reason == "" || d.Action == "" {
					t.Errorf("incomplete: %+v", d)
				}
				got[d.Category] = d.Count
			}
			if tc.want == nil {
				tc.want = map[string]int{}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("deviations (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRecorder_NotPlaced holds that without recorded pods only those are deviations for which the
// scheduler found no node.
func TestRecorder_NotPlaced(t *testing.T) {
	full := "0/1 nodes are available: 1 Insufficient cpu."
	run := replayed("ReplicaSet", "", []ranPod{ran(0, 0), pending(full), pending(full), pending(""), pending(gated + ": wait")}, info(100))
	want := []Deviation{{
		Category: NotPlaced, Owner: &Owner{"web", "ReplicaSet", "o"}, Count: 2,
		Reason: "2 pods never got a node: " + full, Action: placeAction,
	}}
	if diff := cmp.Diff(want, run.Summary.Outcome.Deviations.First); diff != "" {
		t.Errorf("deviations (-want +got):\n%s", diff)
	}
}

// TestRecorder_NotHandled holds that pods count that the scheduler does not handle for a known
// reason: it says nothing about them.
func TestRecorder_NotHandled(t *testing.T) {
	owner := Owner{"web", "ReplicaSet", "o"}
	named := func(pod *corev1.Pod) { pod.Spec.SchedulerName = "volcano" }
	claims := func(pod *corev1.Pod) { pod.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu"}} }
	deviation := func(reason, action string) []Deviation {
		return []Deviation{{Category: NotPlaced, Owner: &owner, Count: 1, Reason: "1 pod never got a node: " + reason, Action: action}}
	}
	cut := Deviation{Category: CutShort, Owner: &owner, Count: 1, Reason: "the run ended"}
	for name, tc := range map[string]struct {
		change  func(*corev1.Pod)
		created float64
		known   []Deviation
		want    []Deviation
	}{
		"another scheduler": {change: named, created: 1, want: deviation(noScheduler+` "volcano"`, schedulerAction)},
		"no claims":         {change: claims, created: 1, want: deviation(noDevices+", or for their templates", devicesAction)},
		"just created":      {change: claims, created: 98, want: []Deviation{}},
		"cut short":         {change: named, created: 1, known: []Deviation{cut}, want: []Deviation{cut}},
		"no reason":         {change: func(*corev1.Pod) {}, created: 1, want: []Deviation{}},
	} {
		t.Run(name, func(t *testing.T) {
			rec := NewRecorder()
			rec.PodChanged(at(tc.created), testPod("p", ownedBy("ReplicaSet", "o"), tc.change))
			in := info(100)
			in.Deviations = tc.known
			if diff := cmp.Diff(tc.want, rec.Run(in).Summary.Outcome.Deviations.First); diff != "" {
				t.Errorf("deviations (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRecorder_NotCreated holds that pods that could not be created are not said to be missing once
// more.
func TestRecorder_NotCreated(t *testing.T) {
	owner := Owner{"web", "ReplicaSet", "o"}
	in := info(100)
	in.Recording = &Recording{
		Owners: []RecordedOwner{{Group: "group", Owner: owner, Pods: []Lifetime{lived(1, 0)}, Asked: 1}},
		Start:  trace(0), End: trace(100), Whole: true,
	}
	in.Deviations = []Deviation{{Category: NotCreated, Owner: &owner, Count: 1, Reason: "exceeded quota"}}
	if diff := cmp.Diff(in.Deviations, replayed("ReplicaSet", "group", nil, in).Summary.Outcome.Deviations.First); diff != "" {
		t.Errorf("deviations (-want +got):\n%s", diff)
	}
}
