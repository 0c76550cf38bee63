package export

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

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

// TestRun_Events checks the events that small histories make between 100 s and 200 s.
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
		"every version of a second": {
			func(h *history) {
				h.apply(110_000, "Deployment a/web", 1)
				h.apply(110_001, "Deployment a/other", 1)
				h.apply(110_999, "Deployment a/web", 2)
				h.apply(111_000, "Deployment a/web", 3)
			},
			Filters{},
			nil,
			[]string{"100", "110 +Deployment a/web@1 +Deployment a/other@1", "110 +Deployment a/web@2", "111 +Deployment a/web@3"},
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
			[]string{"100 +Deployment a/web@1", "110 +Deployment a/other@1 -Deployment a/web", "110 +Deployment a/other@2 +Deployment a/web@2 -Deployment a/web", "110 +Deployment a/web@3"},
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
		})
	}
}

// checkTrace checks that a trace is consistent.
func checkTrace(t testing.TB, tr *trace.Trace, summary Summary) {
	t.Helper()
	index := trace.Index{}
	got := Summary{Start: tr.Events[0].Time, End: summary.End, Shortened: summary.Shortened, Events: int64(len(tr.Events)), Gaps: summary.Gaps, LeftOut: summary.LeftOut}
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
