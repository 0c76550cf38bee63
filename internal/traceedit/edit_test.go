package traceedit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/prerequisite"
	"simkube.io/simkube/internal/tracediff"
	"simkube.io/simkube/trace"
)

var (
	podKind        = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	deploymentKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
)

func newObject(t testing.TB, gvk schema.GroupVersionKind, name string, n int, labels ...string) trace.Object {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"n": int64(n)}}}
	u.SetGroupVersionKind(gvk)
	namespace, object := trace.SplitNamespacedName(name)
	u.SetNamespace(namespace)
	u.SetName(object)
	if len(labels) > 0 {
		u.SetLabels(map[string]string{labels[0]: labels[1]})
	}
	o, err := trace.NewObject(u)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func deleted(t testing.TB, gvk schema.GroupVersionKind, name string) trace.Object {
	t.Helper()
	o, err := trace.NewDeleted(gvk, name)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// text returns events in the notation of the tests: "10 +a=1 +b=2 -c" is an event at 10 that
// applies a and b in the namespace ns, and deletes c.
func text(t testing.TB, tr *trace.Trace) string {
	t.Helper()
	var b strings.Builder
	for i := range tr.Events {
		e := &tr.Events[i]
		fmt.Fprint(&b, e.Time)
		for j := range e.Applied {
			u, err := e.Applied[j].Unstructured()
			if err != nil {
				t.Fatal(err)
			}
			n, _, _ := unstructured.NestedInt64(u.Object, "spec", "n")
			fmt.Fprintf(&b, " +%s=%d", u.GetName(), n)
		}
		for j := range e.Deleted {
			fmt.Fprintf(&b, " -%s", e.Deleted[j].Name())
		}
		b.WriteString("\n")
	}
	return b.String()
}

// parse parses a trace in the notation of text.
func parse(t testing.TB, lines string) *trace.Trace {
	t.Helper()
	tr := &trace.Trace{Index: trace.Index{}, Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{deploymentKind: {}}}}
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		var e trace.Event
		if _, err := fmt.Sscan(words[0], &e.Time); err != nil {
			t.Fatal(err)
		}
		for _, word := range words[1:] {
			name, number, _ := strings.Cut(word[1:], "=")
			if word[0] == '-' {
				e.Deleted = append(e.Deleted, deleted(t, deploymentKind, "ns/"+name))
				continue
			}
			n := 0
			if _, err := fmt.Sscan(number, &n); err != nil {
				t.Fatal(err)
			}
			e.Applied = append(e.Applied, newObject(t, deploymentKind, "ns/"+name, n))
		}
		tr.Index.Record(&e)
		tr.Events = append(tr.Events, e)
	}
	return tr
}

// write writes a trace to a file.
func write(t testing.TB, tr *trace.Trace, name string) Input {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := tr.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return Input{Path: path, Name: name}
}

// read reads a trace, and checks that its index matches its events.
func read(t testing.TB, path string) *trace.Trace {
	t.Helper()
	tr, err := trace.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	index := trace.Index{}
	for i := range tr.Events {
		index.Record(&tr.Events[i])
	}
	if diff := cmp.Diff(index, tr.Index); diff != "" {
		t.Errorf("index (-recorded +got):\n%s", diff)
	}
	if tr.Extension != nil {
		x, err := trace.ParseExtension(tr.Extension)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range tr.Events {
			if len(x.EventTimes) != len(tr.Events) || len(x.EventTimes[i]) != len(e.Applied)+len(e.Deleted) {
				t.Fatalf("times of event %d: they are not those of its objects", i)
			}
		}
	}
	return tr
}

func window(start, end int64) func(int64, int64) (int64, int64, error) {
	return func(int64, int64) (int64, int64, error) { return start, end, nil }
}

func slice(t testing.TB, in Input, opts SliceOptions) *trace.Trace {
	t.Helper()
	out := filepath.Join(t.TempDir(), "slice.sktrace")
	if _, err := Slice(context.Background(), in, out, opts); err != nil {
		t.Fatal(err)
	}
	return read(t, out)
}

const day = `
10 +a=1 +b=1
12 +c=1
12 +c=2 -a
15 +b=2
15 -b
15 +b=3
20 -never
22 +a=2
`

func TestSlice_Events(t *testing.T) {
	in := write(t, parse(t, day), "day.sktrace")
	for name, tc := range map[string]struct {
		start, end int64
		want       string
	}{
		"everything":       {0, 100, strings.TrimLeft(day, "\n")},
		"from the start":   {10, 13, "10 +a=1 +b=1\n12 +c=1\n12 +c=2 -a\n"},
		"up to a second":   {10, 12, "10 +a=1 +b=1\n"},
		"from a second":    {12, 15, "12 +a=1 +b=1\n12 +c=1\n12 +c=2 -a\n"},
		"from between":     {13, 16, "13 +b=1 +c=2\n15 +b=2\n15 -b\n15 +b=3\n"},
		"without a change": {16, 20, "16 +c=2 +b=3\n"},
		"the last second":  {22, 23, "22 +c=2 +b=3\n22 +a=2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := slice(t, in, SliceOptions{Window: window(tc.start, tc.end)})
			if diff := cmp.Diff(tc.want, text(t, got)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSlice_Window(t *testing.T) {
	in := write(t, parse(t, day), "day.sktrace")
	for _, w := range [][2]int64{{0, 10}, {23, 30}, {12, 12}, {15, 12}} {
		out := filepath.Join(t.TempDir(), "out")
		var wrong *WindowError
		if _, err := Slice(t.Context(), in, out, SliceOptions{Window: window(w[0], w[1])}); !errors.As(err, &wrong) || wrong.First != 10 || wrong.Last != 22 {
			t.Errorf("%v: got %v, want a WindowError", w, err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%v: there is a trace", w)
		}
	}
}

func TestSlice_Filters(t *testing.T) {
	tr := &trace.Trace{Index: trace.Index{}, Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{deploymentKind: {}, podKind: {TrackLifecycle: true}}}}
	tr.Events = []trace.Event{
		{Time: 1, Applied: []trace.Object{
			newObject(t, deploymentKind, "shop/web", 1, "app", "web"), newObject(t, podKind, "shop/p", 1), newObject(t, podKind, "ci/p", 1),
			newObject(t, schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, "ci", 1),
		}},
		{Time: 2, Applied: []trace.Object{newObject(t, deploymentKind, "shop/web", 2, "app", "other")}},
		{Time: 3, Deleted: []trace.Object{deleted(t, deploymentKind, "shop/web"), deleted(t, podKind, "ci/p")}},
	}
	for i := range tr.Events {
		tr.Index.Record(&tr.Events[i])
	}
	tr.Lifecycles = trace.Lifecycles{{GVK: podKind, Name: "shop/p"}: {7: {{State: trace.Running, Start: 1}}}, {GVK: podKind, Name: "ci/p"}: {7: {{}}}}
	in := write(t, tr, "a.sktrace")
	selector := func(text string) []labels.Selector {
		s, err := labels.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return []labels.Selector{s}
	}
	for name, tc := range map[string]struct {
		filters Filters
		want    string
		owners  int
	}{
		"none":               {Filters{}, "1 +web=1 +p=1 +p=1 +ci=1\n2 +web=2\n3 -web -p\n", 2},
		"a namespace":        {Filters{IncludedNamespaces: []string{"ci"}}, "1 +p=1 +ci=1\n3 -p\n", 1},
		"without one":        {Filters{ExcludedNamespaces: []string{"ci"}}, "1 +web=1 +p=1\n2 +web=2\n3 -web\n", 1},
		"a kind":             {Filters{Kinds: []schema.GroupVersionKind{podKind}}, "1 +p=1 +p=1\n3 -p\n", 2},
		"names":              {Filters{Names: []string{"w*"}}, "1 +web=1\n2 +web=2\n3 -web\n", 0},
		"labels":             {Filters{IncludedLabels: selector("app=web")}, "1 +web=1\n2 -web\n", 0},
		"without labels":     {Filters{ExcludedLabels: selector("app=web")}, "1 +p=1 +p=1 +ci=1\n2 +web=2\n3 -web -p\n", 2},
		"nothing":            {Filters{Names: []string{"x"}}, "1\n", 0},
		"a kind of no trace": {Filters{Kinds: []schema.GroupVersionKind{{Group: "a", Version: "v1", Kind: "B"}}}, "1\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := slice(t, in, SliceOptions{Filters: tc.filters})
			if diff := cmp.Diff(tc.want, text(t, got)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if len(got.Lifecycles) != tc.owners {
				t.Errorf("lifecycles: got those of %d owners, want %d", len(got.Lifecycles), tc.owners)
			}
		})
	}
}

// TestSlice_PodKinds leaves out kinds without pods, with everything that is recorded about them.
func TestSlice_PodKinds(t *testing.T) {
	configMap := schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	job := schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Job"}
	tr := parse(t, "1 +a=1\n5 +a=2\n")
	tr.Config.TrackedObjects[configMap] = trace.TrackedObject{}
	tr.Config.TrackedObjects[job] = trace.TrackedObject{PodSpecTemplatePaths: []string{"/spec/template"}}
	tr.Events[0].Applied = append(tr.Events[0].Applied, newObject(t, configMap, "ns/c", 1), newObject(t, job, "ns/j", 1))
	tr.Index = trace.Index{}
	for i := range tr.Events {
		tr.Index.Record(&tr.Events[i])
	}
	x := trace.Extension{EventTimes: [][]uint16{{0, 0, 0}, {7}}}
	var err error
	if tr.Extension, err = x.Encode(); err != nil {
		t.Fatal(err)
	}
	in := write(t, tr, "a.sktrace")
	got := slice(t, in, SliceOptions{PodKinds: true})
	if diff := cmp.Diff("1 +a=1 +j=1\n5 +a=2\n", text(t, got)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if _, ok := got.Config.TrackedObjects[configMap]; ok || len(got.Config.TrackedObjects) != 2 {
		t.Errorf("the configuration has %v", got.Config.TrackedObjects)
	}
	got = slice(t, in, SliceOptions{PodKinds: true, Filters: Filters{Kinds: []schema.GroupVersionKind{job, configMap}}})
	if diff := cmp.Diff("1 +j=1\n", text(t, got)); diff != "" {
		t.Errorf("events of a kind (-want +got):\n%s", diff)
	}
	if _, err := Slice(t.Context(), in, filepath.Join(t.TempDir(), "out"), SliceOptions{PodKinds: true, Filters: Filters{Kinds: []schema.GroupVersionKind{configMap}}}); err == nil {
		t.Error("got no error without a kind that has pods")
	}
}

func TestSlice_Tail(t *testing.T) {
	tr := parse(t, day)
	owner, gone := trace.PodOwner{GVK: deploymentKind, Name: "ns/b"}, trace.PodOwner{GVK: deploymentKind, Name: "ns/a"}
	tr.Lifecycles = trace.Lifecycles{
		owner: {1: {{State: trace.Finished, Start: 10, End: 12}, {State: trace.Finished, Start: 11, End: 30}, {State: trace.Running, Start: 14}, {State: trace.Running, Start: 19}, {}}},
		gone:  {1: {{State: trace.Finished, Start: 10, End: 14}}},
	}
	x := trace.Extension{
		EventTimes: [][]uint16{{0, 0}, {1}, {2, 3}, {4}, {5}, {6}, {7}, {8}},
		Gaps:       []trace.Gap{{From: 1000, To: 2000}, {From: 12000, To: 13001}},
		Nodes:      []trace.NodePeriod{{Name: "n", From: 1, To: 11000}, {Name: "n", From: 11000}},
		Pods: []trace.PodTimes{
			{Owner: owner, Name: "p1", Created: 10000, Deleted: 12000},
			{Owner: owner, Name: "p2", Created: 11000},
			{Owner: gone, Name: "p3", Created: 11000},
			{Owner: owner, Name: "p4", Created: 19000},
		},
	}
	raw, err := x.Encode()
	if err != nil {
		t.Fatal(err)
	}
	tr.Extension = raw
	got := slice(t, write(t, tr, "day.sktrace"), SliceOptions{Window: window(13, 16)})
	wantLifecycles := trace.Lifecycles{owner: {1: {{State: trace.Finished, Start: 13, End: 30}, {State: trace.Running, Start: 14}}}}
	if diff := cmp.Diff(wantLifecycles, got.Lifecycles); diff != "" {
		t.Errorf("lifecycles (-want +got):\n%s", diff)
	}
	gotExtension, err := trace.ParseExtension(got.Extension)
	if err != nil {
		t.Fatal(err)
	}
	want := &trace.Extension{EventTimes: [][]uint16{{0, 0}, {4}, {5}, {6}}, Gaps: x.Gaps[1:], Nodes: x.Nodes[1:], Pods: x.Pods[1:2]}
	if diff := cmp.Diff(want, gotExtension); diff != "" {
		t.Errorf("x-simkube (-want +got):\n%s", diff)
	}
}

func merge(t testing.TB, opts MergeOptions, inputs ...Input) (*trace.Trace, Summary) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "merged.sktrace")
	summary, err := Merge(context.Background(), inputs, out, opts)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, out), summary
}

func TestMerge_Events(t *testing.T) {
	for name, tc := range map[string]struct {
		a, b  string
		opts  MergeOptions
		want  string
		notes int
	}{
		"interleaved":                   {"1 +a=1\n3 +a=2\n9 -a", "2 +b=1\n3 +b=2", MergeOptions{}, "1 +a=1\n2 +b=1\n3 +a=2 +b=2\n9 -a\n", 0},
		"one state":                     {"1 +a=1\n1 +a=2", "1 +b=1\n1 -b\n1 +b=2", MergeOptions{}, "1 +a=1 +b=1\n1 +a=2 -b\n1 +b=2\n", 0},
		"a state and a change":          {"1 +a=1\n5 +a=2", "1 +b=1\n3 +b=2", MergeOptions{Align: true}, "1 +a=1 +b=1\n3 +b=2\n5 +a=2\n", 0},
		"aligned":                       {"100 +a=1\n105 +a=2", "1 +b=1\n3 +b=2", MergeOptions{Align: true}, "100 +a=1 +b=1\n102 +b=2\n105 +a=2\n", 0},
		"the same object":               {"1 +a=1\n5 -a", "2 +a=1\n9 -a", MergeOptions{}, "1 +a=1\n9 -a\n", 0},
		"the same object, first to end": {"1 +a=1\n5 +x=1", "2 +a=1\n3 -a", MergeOptions{}, "1 +a=1\n5 +x=1\n", 0},
		"itself":                        {day, day, MergeOptions{}, strings.TrimLeft(day, "\n"), 0},
		"one after the other":           {"1 +a=1 +b=1\n2 +a=2", "3 +a=2 +b=1\n4 +a=3 -b", MergeOptions{}, "1 +a=1 +b=1\n2 +a=2\n4 +a=3 -b\n", 0},
		"changed in between":            {"1 +a=1 +b=1\n2 +a=2", "3 +a=9\n4 -a", MergeOptions{}, "1 +a=1 +b=1\n2 +a=2\n3 +a=9\n4 -a\n", 1},
		"joined":                        {"1 +a=1 +b=1\n2 +a=2", "3 +a=9\n4 -a", MergeOptions{Join: true}, "1 +a=1 +b=1\n2 +a=2\n3 +a=9 -b\n4 -a\n", 0},
		"joined the other way round":    {"3 +a=9\n4 -a", "1 +a=1 +b=1\n2 +a=2", MergeOptions{Join: true}, "1 +a=1 +b=1\n2 +a=2\n3 +a=9 -b\n4 -a\n", 0},
		"joined and overlapping":        {"1 +a=1\n3 +a=2\n5 +a=3", "3 +a=1\n3 +a=2\n5 +a=3\n7 -a", MergeOptions{Join: true}, "1 +a=1\n3 +a=2\n5 +a=3\n7 -a\n", 0},
		"joined, the later counts":      {"1 +a=1\n3 +a=2\n5 +x=1\n6 -a", "3 +a=1\n3 +a=2\n7 -a", MergeOptions{Join: true}, "1 +a=1\n3 +a=2\n7 -a\n", 0},
		"first":                         {"1 +a=1\n5 +a=2\n9 -a\n20 +x=1", "2 +a=7\n3 -a\n6 +a=8\n10 +a=9\n11 -a\n20 +y=1", MergeOptions{OnConflict: ConflictFirst}, "1 +a=1\n5 +a=2\n9 -a\n10 +a=9\n11 -a\n20 +x=1 +y=1\n", 0},
		"last":                          {"1 +a=1\n5 +a=2\n9 -a", "2 +a=7\n3 +a=8\n6 +b=1\n10 -a", MergeOptions{OnConflict: ConflictLast}, "1 +a=1\n2 +a=7\n3 +a=8\n5 +a=2\n6 +b=1\n9 -a\n", 0},
		"an empty trace":                {"", "2 +a=7", MergeOptions{}, "2 +a=7\n", 0},
		"an empty state":                {"1\n2 +a=1", "2 +b=1", MergeOptions{}, "1\n2 +b=1 +a=1\n", 0},
		"deleted and made by another":   {"1 +a=1\n5 -a", "1\n5 +a=2", MergeOptions{OnConflict: ConflictLast}, "1 +a=1\n5 -a\n5 +a=2\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, summary := merge(t, tc.opts, write(t, parse(t, tc.a), "a.sktrace"), write(t, parse(t, tc.b), "b.sktrace"))
			if diff := cmp.Diff(tc.want, text(t, got)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if len(summary.Notes) != tc.notes {
				t.Errorf("notes: got %q, want %d", summary.Notes, tc.notes)
			}
		})
	}
}

func TestMerge_Different(t *testing.T) {
	plain, other := parse(t, "1 +a=1\n5 +x=1"), parse(t, "2 +a=2")
	configured := parse(t, "1 +b=1")
	configured.Config.TrackedObjects[deploymentKind] = trace.TrackedObject{TrackLifecycle: true}
	for name, tc := range map[string]struct {
		a, b *trace.Trace
		want string
	}{
		"objects":        {plain, other, "a.sktrace and b.sktrace have a different apps/v1.Deployment ns/a at 1970-01-01T00:00:02Z"},
		"configurations": {plain, configured, "a.sktrace and b.sktrace have different configurations of apps/v1.Deployment"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			_, err := Merge(t.Context(), []Input{write(t, tc.a, "a.sktrace"), write(t, tc.b, "b.sktrace")}, out, MergeOptions{})
			if err == nil || err.Error() != tc.want {
				t.Errorf("error: got %v, want %s", err, tc.want)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("there is a trace")
			}
		})
	}
}

// randomTrace returns a random trace that uses all features of the format.
func randomTrace(t testing.TB, r *rand.Rand, events int) *trace.Trace {
	t.Helper()
	tr := &trace.Trace{Index: trace.Index{}, Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{deploymentKind: {TrackLifecycle: true}}}}
	x := trace.Extension{}
	live := map[string]int{}
	now := int64(1000)
	for n := range events {
		e := trace.Event{Time: now}
		in := map[string]bool{}
		for range r.IntN(4) + 1 {
			name := fmt.Sprintf("ns/o%d", r.IntN(12))
			if in[name] {
				continue
			}
			in[name] = true
			if n > 0 && live[name] != 0 && r.IntN(3) == 0 {
				delete(live, name)
				e.Deleted = append(e.Deleted, deleted(t, deploymentKind, name))
				continue
			}
			live[name] = live[name] + r.IntN(100) + 1
			e.Applied = append(e.Applied, newObject(t, deploymentKind, name, live[name]))
		}
		times := make([]uint16, len(e.Applied)+len(e.Deleted))
		for i := range times {
			if n > 0 {
				times[i] = uint16(r.IntN(1000))
			}
		}
		tr.Events = append(tr.Events, e)
		tr.Index.Record(&e)
		x.EventTimes = append(x.EventTimes, times)
		now += int64(r.IntN(3))
	}
	for n := range 8 {
		owner := trace.PodOwner{GVK: deploymentKind, Name: fmt.Sprintf("ns/o%d", r.IntN(12))}
		if _, ok := tr.Index[owner.GVK][owner.Name]; !ok {
			continue
		}
		// A pod starts when its owner is applied.
		var applied []int64
		for _, e := range tr.Events {
			if slices.ContainsFunc(e.Applied, func(o trace.Object) bool { return o.NamespacedName() == owner.Name }) {
				applied = append(applied, e.Time)
			}
		}
		created := applied[r.IntN(len(applied))]
		l := trace.Lifecycle{State: trace.Finished, Start: created, End: created + int64(r.IntN(20))}
		pod := trace.PodTimes{Owner: owner, Namespace: "ns", Name: fmt.Sprintf("p%d", n), Hash: 1, Created: created * 1000, Started: created * 1000, Finished: l.End * 1000, Deleted: l.End * 1000}
		if n%3 == 0 {
			l, pod.Finished, pod.Deleted = trace.Lifecycle{State: trace.Running, Start: created}, 0, 0
		}
		x.Pods = append(x.Pods, pod)
		if tr.Lifecycles == nil {
			tr.Lifecycles = trace.Lifecycles{}
		}
		if tr.Lifecycles[owner] == nil {
			tr.Lifecycles[owner] = map[uint64][]trace.Lifecycle{}
		}
		tr.Lifecycles[owner][1] = append(tr.Lifecycles[owner][1], l)
	}
	byCreation := func(a, b trace.PodTimes) int { return int(a.Created - b.Created) }
	slices.SortStableFunc(x.Pods, byCreation)
	for _, hashes := range tr.Lifecycles {
		slices.SortStableFunc(hashes[1], func(a, b trace.Lifecycle) int { return int(a.Start - b.Start) })
	}
	x.Gaps = []trace.Gap{{From: 1003500, To: 1004100}}
	x.Nodes = []trace.NodePeriod{{Name: "n1", From: 900000, To: 1005000}, {Name: "n2", From: 1001000}}
	raw, err := x.Encode()
	if err != nil {
		t.Fatal(err)
	}
	tr.Extension = raw
	return tr
}

func encoded(t testing.TB, tr *trace.Trace) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tr.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSlice_Merge checks that merging two slices of a trace restores it, and that a slice of
// everything is the same trace.
func TestSlice_Merge(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		tr := randomTrace(t, r, 20)
		in := write(t, tr, "whole.sktrace")
		first, last := tr.Events[0].Time, tr.Events[len(tr.Events)-1].Time
		if got := slice(t, in, SliceOptions{Window: window(first, last+1)}); !bytes.Equal(encoded(t, got), encoded(t, tr)) {
			t.Fatalf("seed %d: a slice of everything is another trace", seed)
		}
		if last-first < 2 {
			continue
		}
		cut := first + 1 + r.Int64N(last-first-1)
		overlap := r.Int64N(3) // the slices may overlap
		a, b := slice(t, in, SliceOptions{Window: window(first, cut+overlap)}), slice(t, in, SliceOptions{Window: window(cut, last+1)})
		for _, join := range []bool{false, true} {
			got, summary := merge(t, MergeOptions{Join: join}, write(t, a, "a.sktrace"), write(t, b, "b.sktrace"))
			if !join && overlap > 0 {
				// The merged events of a second may be grouped differently than in the original.
				report, err := tracediff.Compare(t.Context(), tracediff.Input(in), tracediff.Input(write(t, got, "merged.sktrace")), tracediff.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if report.Seconds > 0 || len(report.Lifecycles)+len(report.Index) > 0 {
					t.Fatalf("seed %d, cut at %d with %d seconds in common: %+v\n%s\n%s\n%s", seed, cut, overlap, report, text(t, tr), text(t, a), text(t, b))
				}
				continue
			}
			if diff := cmp.Diff(text(t, tr), text(t, got)); diff != "" || len(summary.Notes) > 0 {
				t.Fatalf("seed %d, cut at %d, joined %t: notes %q; events (-want +got):\n%s\n%s\n%s", seed, cut, join, summary.Notes, diff, text(t, a), text(t, b))
			}
			if diff := cmp.Diff(tr.Lifecycles, got.Lifecycles); diff != "" {
				t.Fatalf("seed %d, cut at %d: lifecycles (-want +got):\n%s\n%v\n%v", seed, cut, diff, a.Lifecycles, b.Lifecycles)
			}
			if !bytes.Equal(encoded(t, got), encoded(t, tr)) {
				t.Fatalf("seed %d, cut at %d: it is another trace", seed, cut)
			}
		}
	}
}

// TestMerge_One checks that merging a trace with nothing does not change it.
func TestMerge_One(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*.sktrace")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		want := read(t, path)
		got, _ := merge(t, MergeOptions{}, Input{Path: path})
		if !bytes.Equal(encoded(t, want), encoded(t, got)) {
			t.Errorf("%s is another trace when merged with nothing", path)
		}
		got = slice(t, Input{Path: path}, SliceOptions{})
		if !bytes.Equal(encoded(t, want), encoded(t, got)) {
			t.Errorf("a slice of all of %s is another trace", path)
		}
		begin, end := want.Events[0].Time, want.Events[len(want.Events)-1].Time
		cut := (begin + end) / 2
		a, b := slice(t, Input{Path: path}, SliceOptions{Window: window(begin, cut)}), slice(t, Input{Path: path}, SliceOptions{Window: window(cut, end+1)})
		got, _ = merge(t, MergeOptions{Join: true}, write(t, a, "a.sktrace"), write(t, b, "b.sktrace"))
		if diff := cmp.Diff(want.Index, got.Index); diff != "" || len(got.Events) != len(want.Events) {
			t.Errorf("%s cut in two and joined has %d events, want %d; index (-want +got):\n%s", path, len(got.Events), len(want.Events), diff)
		}
	}
}

func TestMerge_Samples(t *testing.T) {
	for _, name := range []string{"bare-pods.sktrace", "cronjob.sktrace"} {
		path := prerequisite.Recording(t, name)
		want, err := trace.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := merge(t, MergeOptions{}, Input{Path: path}, Input{Path: path})
		if diff := cmp.Diff(text(t, want), text(t, got)); diff != "" {
			t.Errorf("%s merged with itself: events (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(want.Lifecycles, got.Lifecycles); diff != "" {
			t.Errorf("%s merged with itself: lifecycles (-want +got):\n%s", name, diff)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	in := write(t, parse(t, day), "day.sktrace")
	if _, err := Slice(ctx, in, filepath.Join(t.TempDir(), "out"), SliceOptions{}); !errors.Is(err, stopped) {
		t.Errorf("slice: got %v, want %v", err, stopped)
	}
	if _, err := Merge(ctx, []Input{in}, filepath.Join(t.TempDir(), "out"), MergeOptions{}); !errors.Is(err, stopped) {
		t.Errorf("merge: got %v, want %v", err, stopped)
	}
}
