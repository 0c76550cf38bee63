package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tinylib/msgp/msgp"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noneLeft(t testing.TB, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func selectors(t testing.TB, texts ...string) (list []labels.Selector) {
	t.Helper()
	for _, text := range texts {
		s, err := labels.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// TestRun_Events has small histories and the events they make between 100 s and 200 s.
func TestRun_Events(t *testing.T) {
	web, rs := keyOf("Deployment a/web"), keyOf("ReplicaSet a/web-1")
	for name, test := range map[string]struct {
		history func(h *history)
		filters Filters
		config  func(c *trace.Config)
		want    []string
	}{
		"nothing": {func(*history) {}, Filters{}, nil, []string{"100"}},
		"state and changes": {
			func(h *history) {
				h.apply(50_000, "Deployment b/old", 1)
				h.apply(51_000, "Deployment a/web", 1)
				h.apply(60_000, "Deployment a/web", 2)
				h.apply(61_000, "Node n1", 1)
				h.apply(62_000, "Deployment a/gone", 1)
				h.delete(99_999, "Deployment a/gone")
				h.apply(100_000, "Deployment a/web", 3)
				h.delete(120_500, "Deployment b/old")
				h.apply(199_999, "Deployment a/new", 1)
				h.apply(200_000, "Deployment a/late", 1)
			},
			Filters{},
			nil,
			[]string{"100 +Deployment a/web@2 +Deployment b/old@1 +Node n1@1", "100 +Deployment a/web@3", "120 -Deployment b/old", "199 +Deployment a/new@1"},
		},
		"the last of a second stays": {
			func(h *history) {
				h.apply(110_000, "Deployment a/web", 1)
				h.apply(110_001, "Deployment a/other", 1)
				h.apply(110_999, "Deployment a/web", 2)
				h.apply(111_000, "Deployment a/web", 3)
			},
			Filters{},
			nil,
			[]string{"100", "110 +Deployment a/other@1 +Deployment a/web@2", "111 +Deployment a/web@3"},
		},
		"applied and deleted in a second": {
			func(h *history) {
				h.apply(110_000, "Deployment a/web", 1)
				h.delete(110_500, "Deployment a/web")
			},
			Filters{},
			nil,
			[]string{"100", "110 +Deployment a/web@1 -Deployment a/web"},
		},
		"deleted and applied in a second": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1)
				h.apply(110_000, "Deployment a/other", 1)
				h.delete(110_100, "Deployment a/web")
				h.apply(110_200, "Deployment a/other", 2)
				h.apply(110_300, "Deployment a/web", 2)
				h.delete(110_400, "Deployment a/web")
				h.apply(110_500, "Deployment a/web", 3)
			},
			Filters{},
			nil,
			[]string{"100 +Deployment a/web@1", "110 +Deployment a/other@2 -Deployment a/web", "110 +Deployment a/web@2 -Deployment a/web", "110 +Deployment a/web@3"},
		},
		"deletion of what was not there": {
			func(h *history) { h.delete(110_000, "Deployment a/web") },
			Filters{},
			nil,
			[]string{"100"},
		},
		"forgotten": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1)
				h.apply(51_000, "Deployment a/before", 1)
				h.forget(52_000, "Deployment a/before")
				h.forget(110_000, "Deployment a/web")
				h.delete(120_000, "Deployment a/web")
				h.apply(130_000, "Deployment a/web", 2)
			},
			Filters{},
			nil,
			[]string{"100 +Deployment a/web@1", "130 +Deployment a/web@2"},
		},
		"kind that is not configured": {
			func(h *history) {
				h.apply(50_000, "Secret a/s", 1)
				h.apply(110_000, "Secret a/s", 2)
				h.delete(120_000, "Secret a/s")
			},
			Filters{},
			nil,
			[]string{"100"},
		},
		"excluded namespace": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1)
				h.apply(50_000, "Deployment b/web", 1)
				h.apply(50_000, "Namespace a", 1)
				h.apply(50_000, "Namespace b", 1)
				h.apply(50_000, "Node a", 1)
				h.apply(110_000, "Deployment a/web", 2)
				h.delete(120_000, "Deployment a/web")
				h.delete(120_000, "Deployment b/web")
			},
			Filters{ExcludedNamespaces: []string{"a"}},
			nil,
			[]string{"100 +Deployment b/web@1 +Namespace b@1 +Node a@1", "120 -Deployment b/web"},
		},
		"included namespaces": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1)
				h.apply(50_000, "Deployment b/web", 1)
				h.apply(50_000, "Deployment c/web", 1)
				h.apply(50_000, "Namespace a", 1)
				h.apply(50_000, "Namespace c", 1)
				h.apply(50_000, "Node n", 1)
			},
			Filters{IncludedNamespaces: []string{"a", "b"}, ExcludedNamespaces: []string{"b"}},
			nil,
			[]string{"100 +Deployment a/web@1 +Namespace a@1 +Node n@1"},
		},
		"excluded labels come and go": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1, "tier=db")
				h.apply(50_000, "Deployment a/app", 1)
				h.apply(110_000, "Deployment a/web", 2, "tier=web")
				h.apply(120_000, "Deployment a/web", 3, "tier=db")
				h.apply(130_000, "Deployment a/web", 4, "tier=db")
				h.delete(140_000, "Deployment a/web")
				h.apply(150_000, "Deployment a/app", 2, "debug=")
				h.delete(160_000, "Deployment a/app")
			},
			Filters{ExcludedLabels: selectors(t, "tier=db", "debug")},
			nil,
			[]string{"100 +Deployment a/app@1", "110 +Deployment a/web@2", "120 -Deployment a/web", "150 -Deployment a/app"},
		},
		"included labels": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1, "app=web", "tier=db")
				h.apply(50_000, "Deployment a/app", 1, "app=web")
				h.apply(50_000, "Node n", 1, "app=other")
				h.apply(110_000, "Deployment a/other", 1)
				h.apply(120_000, "Deployment a/other", 2, "app=b")
				h.delete(130_000, "Deployment a/other")
			},
			Filters{IncludedLabels: selectors(t, "app=web", "app=b"), ExcludedLabels: selectors(t, "tier in (db, cache)")},
			nil,
			[]string{"100 +Deployment a/app@1", "120 +Deployment a/other@2", "130 -Deployment a/other"},
		},
		"owned by what is in the trace": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1)
				h.apply(50_001, "ReplicaSet a/web-1", 1, web)
				h.apply(50_002, "Pod a/web-1-x", 1, rs, web)
				h.apply(110_000, "Pod a/web-1-y", 1, rs, web)
				h.delete(120_000, "Pod a/web-1-y")
				h.delete(121_000, "ReplicaSet a/web-1")
				h.apply(130_000, "Pod a/bare", 1)
			},
			Filters{},
			nil,
			[]string{"100 +Deployment a/web@1", "130 +Pod a/bare@1"},
		},
		"owned by what is excluded": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1, "app=web")
				h.apply(50_001, "ReplicaSet a/web-1", 1, web)
				h.apply(50_002, "Pod a/web-1-x", 1, rs, web)
			},
			Filters{ExcludedLabels: selectors(t, "app=web")},
			nil,
			[]string{"100 +ReplicaSet a/web-1@1"},
		},
		"owned by a kind that is not configured any more": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1)
				h.apply(50_001, "ReplicaSet a/web-1", 1, web)
			},
			Filters{},
			func(c *trace.Config) { delete(c.TrackedObjects, deploymentKind) },
			[]string{"100 +ReplicaSet a/web-1@1"},
		},
		"owner the log never had": {
			func(h *history) {
				h.apply(50_000, "Pod a/x", 1, rs)
				h.apply(110_000, "Pod a/y", 1, rs)
				h.delete(120_000, "Pod a/y")
			},
			Filters{},
			nil,
			[]string{"100 +Pod a/x@1", "110 +Pod a/y@1", "120 -Pod a/y"},
		},
		"owner the log has later": {
			func(h *history) {
				h.apply(110_000, "ReplicaSet a/web-1", 1, web)
				h.apply(110_003, "Deployment a/web", 1)
			},
			Filters{},
			nil,
			[]string{"100", "110 +Deployment a/web@1"},
		},
		"owner the log has later, excluded": {
			func(h *history) {
				h.apply(110_000, "ReplicaSet a/web-1", 1, web)
				h.apply(110_003, "Deployment a/web", 1, "app=web")
			},
			Filters{ExcludedLabels: selectors(t, "app=web")},
			nil,
			[]string{"100", "110 +ReplicaSet a/web-1@1"},
		},
		"owner that is gone": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1)
				h.apply(50_001, "ReplicaSet a/web-1", 1, web)
				h.delete(110_000, "Deployment a/web")
				h.apply(110_100, "ReplicaSet a/web-1", 2, web)
				h.delete(110_200, "ReplicaSet a/web-1")
			},
			Filters{},
			nil,
			[]string{"100 +Deployment a/web@1", "110 -Deployment a/web"},
		},
		"owner that is gone, with labels": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1)
				h.apply(50_001, "ReplicaSet a/web-1", 1, web)
				h.delete(110_000, "Deployment a/web")
				h.apply(110_100, "ReplicaSet a/web-1", 2, web)
			},
			Filters{ExcludedLabels: selectors(t, "app=web")},
			nil,
			[]string{"100 +Deployment a/web@1", "110 -Deployment a/web"},
		},
		"adopted": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1)
				h.apply(50_001, "ReplicaSet a/web-1", 1)
				h.apply(110_000, "ReplicaSet a/web-1", 2, web)
				h.apply(120_000, "ReplicaSet a/web-1", 3)
			},
			Filters{},
			nil,
			[]string{"100 +Deployment a/web@1 +ReplicaSet a/web-1@1", "110 -ReplicaSet a/web-1", "120 +ReplicaSet a/web-1@3"},
		},
		"the owner's labels change": {
			func(h *history) {
				h.apply(50_000, "Deployment a/web", 1)
				h.apply(50_001, "ReplicaSet a/web-1", 1, web)
				h.apply(110_000, "Deployment a/web", 2, "app=web")
				h.apply(120_000, "ReplicaSet a/web-1", 2, web)
				h.apply(130_000, "Deployment a/web", 3)
				h.apply(140_000, "ReplicaSet a/web-1", 3, web)
				h.apply(150_000, "ReplicaSet a/web-1", 4, web)
			},
			Filters{ExcludedLabels: selectors(t, "app=web")},
			nil,
			[]string{"100 +Deployment a/web@1", "110 -Deployment a/web", "120 +ReplicaSet a/web-1@2", "130 +Deployment a/web@3", "140 -ReplicaSet a/web-1"},
		},
		"owner whose kind was configured later": {
			func(h *history) {
				h.apply(50_000, "ReplicaSet a/web-1", 1, reference{schema.GroupKind{Group: "apps", Kind: "Deployment"}, "web"})
				h.apply(110_000, "Deployment a/web", 1)
				h.apply(120_000, "Pod a/x", 1, reference{schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, "web"})
				h.apply(130_000, "Pod a/y", 1, reference{schema.GroupKind{Group: "apps", Kind: "Deployment"}, "other"})
			},
			Filters{},
			nil,
			[]string{"100", "110 +Deployment a/web@1", "120 +Pod a/x@1", "130 +Pod a/y@1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := &history{begin: 1_000, now: 300_000}
			test.history(h)
			opts := Options{Config: testConfig(), Extension: true}
			if test.config != nil {
				test.config(opts.Config)
			}
			request := Request{Start: 100, End: 200, Filters: test.filters}
			tr, summary := mustRun(t, h, request, opts)
			if diff := cmp.Diff(test.want, eventLines(t, tr)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			checkTrace(t, tr, summary)

			want, _ := mustBytes(t, h, request, opts)
			for what, source := range map[string]Source{"a log": h.logged(t), "a history": h} {
				for _, memory := range []int{1, 1000} {
					opts.memory = memory
					if got, _ := mustBytes(t, source, request, opts); !bytes.Equal(got, want) {
						t.Errorf("of %s, with %d bytes of memory: another trace", what, memory)
					}
				}
			}
			opts.memory, opts.Transform = 0, func(*trace.Event) error { return nil }
			if got, _ := mustBytes(t, h, request, opts); !bytes.Equal(got, want) {
				t.Error("with a transformation that does nothing: another trace")
			}
		})
	}
}

// checkTrace wants a trace to hold together.
func checkTrace(t testing.TB, tr *trace.Trace, summary Summary) {
	t.Helper()
	index := trace.Index{}
	got := Summary{Start: tr.Events[0].Time, End: summary.End, Shortened: summary.Shortened, Events: int64(len(tr.Events)), Gaps: summary.Gaps}
	for i := range tr.Events {
		e := &tr.Events[i]
		index.Record(e)
		got.Applied += int64(len(e.Applied))
		got.Deleted += int64(len(e.Deleted))
	}
	for _, names := range index {
		got.Indexed += int64(len(names))
	}
	for _, pods := range tr.Lifecycles {
		for _, list := range pods {
			got.Lifecycles += int64(len(list))
		}
	}
	if diff := cmp.Diff(summary, got); diff != "" {
		t.Errorf("what the trace has (-summary +trace):\n%s", diff)
	}
	if diff := cmp.Diff(index, tr.Index, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("index (-events +trace):\n%s", diff)
	}
	if tr.Extension == nil {
		return
	}
	x, err := trace.ParseExtension(tr.Extension)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.EventTimes) != len(tr.Events) {
		t.Fatalf("times: got %d, want %d", len(x.EventTimes), len(tr.Events))
	}
	for i, times := range x.EventTimes {
		if e := &tr.Events[i]; len(times) != len(e.Applied)+len(e.Deleted) {
			t.Errorf("times of event %d: got %d, want %d", i, len(times), len(e.Applied)+len(e.Deleted))
		}
	}
}

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

// TestRun_LifecycleOwner has a pod with two ancestors in the trace.
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
	rename := func(e *trace.Event) error {
		for i := range e.Applied {
			if e.Applied[i].Name() != "c" {
				continue
			}
			obj, err := trace.ParseObject(manifest(keyOf("Deployment a/renamed"), 1, nil))
			if err != nil {
				return err
			}
			e.Applied[i] = obj
		}
		return nil
	}
	for name, test := range map[string]struct {
		transform func(*trace.Event) error
		want      [][]uint16
	}{
		"as recorded": {nil, [][]uint16{{0}, {4, 999, 5}}},
		"transformed": {rename, [][]uint16{{0}, {0, 999, 5}}},
	} {
		tr, summary := mustRun(t, h, Request{Start: 100, End: 200}, Options{Extension: true, Transform: test.transform})
		checkTrace(t, tr, summary)
		x, err := trace.ParseExtension(tr.Extension)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, x.EventTimes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRun_Window(t *testing.T) {
	h := &history{begin: 50_700, now: 100_500}
	h.apply(50_600, "Deployment a/flattened", 1)
	h.apply(50_800, "Deployment a/web", 1)
	for _, test := range []struct {
		start, end int64
		want       []string // nil: an error
		shortened  bool
	}{
		{0, 60, []string{"50 +Deployment a/flattened@1", "50 +Deployment a/web@1"}, true},
		{50, 51, []string{"50 +Deployment a/flattened@1", "50 +Deployment a/web@1"}, true},
		{51, 52, []string{"51 +Deployment a/flattened@1 +Deployment a/web@1"}, false},
		{100, 1000, []string{"100 +Deployment a/flattened@1 +Deployment a/web@1"}, false},
		{101, 1000, nil, false},
		{0, 50, nil, false},
		{60, 60, nil, false},
		{60, 59, nil, false},
	} {
		name := fmt.Sprint(test.start, " to ", test.end)
		if test.want == nil {
			var window *WindowError
			if _, err := Run(t.Context(), h, Request{Start: test.start, End: test.end}, new(bytes.Buffer), Options{Config: testConfig()}); !errors.As(err, &window) {
				t.Errorf("%s: got %v, want a *WindowError", name, err)
			}
			continue
		}
		tr, summary := mustRun(t, h, Request{Start: test.start, End: test.end}, Options{})
		if diff := cmp.Diff(test.want, eventLines(t, tr)); diff != "" || summary.Shortened != test.shortened || summary.End != test.end {
			t.Errorf("%s: %+v (-want +got):\n%s", name, summary, diff)
		}
	}
}

// limitedWriter takes some bytes and then gives an error.
type limitedWriter struct {
	left int
	err  error
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.left < len(p) {
		return 0, w.err
	}
	w.left -= len(p)
	return len(p), nil
}

func TestRun_Fails(t *testing.T) {
	failure := errors.New("no more")
	h := &history{begin: 1_000, now: 300_000, failure: failure}
	for i := range 2000 {
		h.apply(int64(50_000+100*i), fmt.Sprintf("Deployment a/d%d", i%700), i)
	}
	request := Request{Start: 100, End: 200}
	for name, test := range map[string]struct {
		fails     log.Seq
		room      int
		transform func(*trace.Event) error
		spool     string
		want      string
		written   bool
	}{
		"reading the state":   {fails: 20, room: 1 << 30, want: "export the state: no more"},
		"reading the changes": {fails: 900, room: 1 << 30, want: "export the changes: no more"},
		"writing":             {room: 100_000, want: "no more", written: true},
		"transforming":        {room: 1 << 30, transform: func(*trace.Event) error { return failure }, want: "transform the event at 100: no more"},
		"spooling":            {room: 1 << 30, spool: "not there", want: "no such file"},
	} {
		for _, memory := range []int{0, 1} {
			t.Run(fmt.Sprint(name, ", memory ", memory), func(t *testing.T) {
				h.fails = test.fails
				w := &limitedWriter{left: test.room, err: failure}
				dir := t.TempDir()
				opts := Options{Config: testConfig(), Extension: true, SpoolDir: filepath.Join(dir, test.spool), Transform: test.transform, memory: memory}
				_, err := Run(t.Context(), h, request, w, opts)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
				if written := w.left < test.room; written != test.written {
					t.Errorf("written: got %t, want %t", written, test.written)
				}
				noneLeft(t, dir)
			})
		}
	}
}

func TestRun_Cancelled(t *testing.T) {
	h := &history{begin: 1_000, now: 300_000}
	for i := range 20_000 {
		h.apply(int64(50_000+10*i), fmt.Sprintf("Deployment a/d%d", i%5000), i)
	}
	reason := errors.New("not wanted any more")
	for _, after := range []int64{0, 3000, 9000} {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		dir := t.TempDir()
		opts := Options{Config: testConfig(), SpoolDir: dir, memory: 1000, Progress: func(p Progress) {
			if p.Objects >= after {
				cancel(reason)
			}
		}}
		var b bytes.Buffer
		if _, err := Run(ctx, h, Request{Start: 100, End: 240}, &b, opts); !errors.Is(err, reason) || b.Len() > 0 {
			t.Errorf("after %d objects: got %v and %d bytes, want %v", after, err, b.Len(), reason)
		}
		noneLeft(t, dir)
	}
}

// cancellingWriter ends a context when it is written to.
type cancellingWriter struct {
	cancel func()
	writes int
}

func (w *cancellingWriter) Write(p []byte) (int, error) {
	w.writes++
	w.cancel()
	return len(p), nil
}

func TestRun_CancelledWhileWriting(t *testing.T) {
	h := &history{begin: 1_000, now: 300_000}
	for i := range 5000 {
		h.apply(int64(50_000+10*i), fmt.Sprintf("Deployment a/d%d", i), i)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &cancellingWriter{cancel: cancel}
	dir := t.TempDir()
	if _, err := Run(ctx, h, Request{Start: 100, End: 240}, w, Options{Config: testConfig(), SpoolDir: dir}); !errors.Is(err, context.Canceled) || w.writes != 1 {
		t.Errorf("got %v after %d writes, want %v after 1", err, w.writes, context.Canceled)
	}
	noneLeft(t, dir)
}

func TestRun_Progress(t *testing.T) {
	h := &history{begin: 1_000, now: 300_000}
	for i := range 20_000 {
		h.apply(int64(50_000+10*i), fmt.Sprintf("Deployment a/d%d", i%5000), i)
	}
	var last Progress
	calls := 0
	_, summary := mustRun(t, h, Request{Start: 100, End: 240}, Options{Progress: func(p Progress) {
		if p.Reached < last.Reached || p.Events < last.Events || p.Objects < last.Objects {
			t.Errorf("after %+v: got %+v", last, p)
		}
		last = p
		calls++
	}})
	if want := (Progress{240_000, summary.Events, summary.Applied + summary.Deleted}); last != want || calls < 3 {
		t.Errorf("last of %d: got %+v, want %+v", calls, last, want)
	}
}

func TestRemoveLeftovers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"sk-export-123/run-1", "other/file"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveLeftovers(dir); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 || left[0].Name() != "other" {
		t.Errorf("left: %v, %v", left, err)
	}
}
