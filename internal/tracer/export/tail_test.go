package export

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

func TestRun_Lifecycles(t *testing.T) {
	running := func(start int64) trace.Lifecycle { return trace.Lifecycle{State: trace.Running, Start: start} }
	finished := func(start, end int64) trace.Lifecycle {
		return trace.Lifecycle{State: trace.Finished, Start: start, End: end}
	}
	web, rs := keyOf("Deployment a/web"), keyOf("ReplicaSet a/web-1")
	chain := []log.Key{rs, web}
	h := &history{begin: 1_000, now: 300_000}
	h.apply(50_000, "Deployment a/web", 1)
	h.apply(50_001, "ReplicaSet a/web-1", 1, web)
	h.apply(50_001, "ReplicaSet a/alone", 1)
	h.apply(60_000, "Pod a/bare", 1)
	h.apply(110_000, "Deployment b/later", 1)
	h.apply(210_000, "Deployment b/after", 1)
	h.pods = []log.Pod{
		{UID: "1", Namespace: "a", Name: "p1", Hash: 7, Ancestors: chain, Lifecycle: finished(51, 99), Created: 50_000, Deleted: 100_000},
		{UID: "2", Namespace: "a", Name: "p2", Hash: 7, Ancestors: chain, Lifecycle: finished(52, 150), Created: 50_100, Scheduled: 50_200, Started: 52_000, Deleted: 151_000, Node: "n1"},
		{UID: "3", Namespace: "a", Name: "p3", Hash: 7, Ancestors: chain, Lifecycle: running(120), Created: 50_200},
		{UID: "4", Namespace: "a", Name: "p4", Hash: 7, Ancestors: chain, Created: 50_300},
		{UID: "5", Namespace: "a", Name: "p5", Hash: 3, Ancestors: chain, Lifecycle: finished(110, 290), Created: 50_400},
		{UID: "6", Namespace: "a", Name: "p6", Hash: 7, Ancestors: []log.Key{keyOf("ReplicaSet a/alone")}, Lifecycle: running(120), Created: 50_500},
		{UID: "7", Namespace: "a", Name: "bare", Hash: 9, Tracked: true, Lifecycle: running(61), Created: 60_000},
		{UID: "8", Namespace: "a", Name: "unseen", Hash: 9, Tracked: true, Lifecycle: running(61), Created: 60_000},
		{UID: "9", Namespace: "b", Name: "p9", Hash: 7, Ancestors: []log.Key{keyOf("Deployment b/later")}, Lifecycle: running(111), Created: 110_100},
		{UID: "10", Namespace: "b", Name: "p10", Hash: 7, Ancestors: []log.Key{keyOf("Deployment b/after")}, Lifecycle: running(111), Created: 110_200},
		{UID: "11", Namespace: "a", Name: "p11", Hash: 7, Ancestors: chain, Lifecycle: finished(112, 112), Created: 110_300},
		{UID: "12", Namespace: "a", Name: "p12", Hash: 7, Ancestors: chain, Lifecycle: running(201), Created: 199_000},
	}
	h.gaps = []log.Gap{{From: 90_000, To: 99_999}, {From: 90_000, To: 101_500}, {From: 250_000, To: 251_000}}
	shape := msgp.AppendMapStrStr(msgp.AppendString(msgp.AppendMapHeader(nil, 1), "labels"), map[string]string{"zone": "x"})
	h.nodes = []log.Node{{UID: "n0", Name: "n0", From: 2_000, To: 99_000}, {UID: "n1", Name: "n1", From: 3_000, To: 150_000, Shape: shape}, {UID: "n1", Name: "n1", From: 150_000}}

	wantLifecycles := trace.Lifecycles{
		{GVK: deploymentKind, Name: "a/web"}:   {7: {finished(100, 150), running(120), finished(112, 112)}, 3: {finished(110, 290)}},
		{GVK: podKind, Name: "a/bare"}:         {9: {running(100)}},
		{GVK: deploymentKind, Name: "b/later"}: {7: {running(111)}},
	}
	for what, source := range map[string]Source{"a history": h, "a log": h.logged(t)} {
		for _, memory := range []int{0, 1} {
			tr, summary := mustRun(t, source, Request{Start: 100, End: 200}, Options{Extension: true, memory: memory})
			checkTrace(t, tr, summary)
			if diff := cmp.Diff(wantLifecycles, tr.Lifecycles); diff != "" {
				t.Errorf("of %s (-want +got):\n%s", what, diff)
			}
			x, err := trace.ParseExtension(tr.Extension)
			if err != nil {
				t.Fatal(err)
			}
			var pods []string
			for _, p := range x.Pods {
				pods = append(pods, p.Name)
			}
			if diff := cmp.Diff([]string{"p1", "p2", "p3", "p4", "p5", "bare", "p9", "p11", "p12"}, pods); diff != "" {
				t.Errorf("pods of %s (-want +got):\n%s", what, diff)
			}
			wantPod := trace.PodTimes{
				Owner: trace.PodOwner{GVK: deploymentKind, Name: "a/web"}, Namespace: "a", Name: "p2", Hash: 7,
				Created: 50_100, Scheduled: 50_200, Started: 52_000, Finished: 150_000, Deleted: 151_000, Node: "n1",
			}
			if diff := cmp.Diff(wantPod, x.Pods[1]); diff != "" {
				t.Errorf("a pod of %s (-want +got):\n%s", what, diff)
			}
			wantNodes := []trace.NodePeriod{
				{Name: "n1", From: 3_000, To: 150_000, NodeShape: trace.NodeShape{Labels: map[string]string{"zone": "x"}}}, {Name: "n1", From: 150_000},
			}
			if diff := cmp.Diff(wantNodes, x.Nodes); diff != "" {
				t.Errorf("nodes of %s (-want +got):\n%s", what, diff)
			}
			if diff := cmp.Diff([]trace.Gap{{From: 90_000, To: 101_500}}, x.Gaps); diff != "" || summary.Gaps != 1 {
				t.Errorf("gaps of %s: summary %d (-want +got):\n%s", what, summary.Gaps, diff)
			}
		}
	}
	t.Run("filtered", func(t *testing.T) {
		tr, _ := mustRun(t, h, Request{Start: 100, End: 200, Filters: Filters{ExcludedNamespaces: []string{"a"}}}, Options{})
		want := trace.Lifecycles{{GVK: deploymentKind, Name: "b/later"}: {7: {running(111)}}}
		if diff := cmp.Diff(want, tr.Lifecycles); diff != "" || tr.Extension != nil {
			t.Errorf("extension %v (-want +got):\n%s", tr.Extension, diff)
		}
	})
}

// TestRun_LifecycleOwner checks the owner of a pod with two ancestors in the trace.
func TestRun_LifecycleOwner(t *testing.T) {
	web, rs := keyOf("Deployment a/web"), keyOf("ReplicaSet a/web-1")
	h := &history{begin: 1_000, now: 300_000}
	h.apply(50_000, "Deployment a/web", 1)
	h.apply(50_001, "ReplicaSet a/web-1", 1)
	h.apply(110_000, "ReplicaSet a/web-1", 2, web)
	l := trace.Lifecycle{State: trace.Running, Start: 120}
	h.pods = []log.Pod{{UID: "1", Namespace: "a", Name: "p1", Hash: 7, Ancestors: []log.Key{rs, web}, Lifecycle: l, Created: 119_000}}
	config := testConfig()
	config.TrackedObjects[replicaSetKind] = trace.TrackedObject{TrackLifecycle: true}
	for _, test := range []struct {
		deployments bool // their lifecycles are tracked
		want        log.Key
	}{{true, web}, {false, rs}} {
		config.TrackedObjects[deploymentKind] = trace.TrackedObject{TrackLifecycle: test.deployments}
		tr, _ := mustRun(t, h, Request{Start: 100, End: 200}, Options{Config: config})
		want := trace.Lifecycles{{GVK: test.want.GVK, Name: test.want.Name}: {7: {l}}}
		if diff := cmp.Diff(want, tr.Lifecycles); diff != "" {
			t.Errorf("lifecycles of deployments tracked: %t (-want +got):\n%s", test.deployments, diff)
		}
	}
}

func TestRun_EventTimes(t *testing.T) {
	h := &history{begin: 1_000, now: 300_000}
	h.apply(50_123, "Deployment a/a", 1)
	h.apply(110_003, "Deployment a/b", 1)
	h.apply(110_004, "Deployment a/c", 1)
	h.delete(110_005, "Deployment a/a")
	h.apply(110_999, "Deployment a/b", 2)
	tr, summary := mustRun(t, h, Request{Start: 100, End: 200}, Options{Extension: true})
	checkTrace(t, tr, summary)
	x, err := trace.ParseExtension(tr.Extension)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]uint16{{0}, {3, 4, 5}, {999}}, x.EventTimes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
