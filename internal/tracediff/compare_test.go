package tracediff

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

var deploymentKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}

func newObject(t testing.TB, name string, n int) trace.Object {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"replicas": int64(n)}}}
	u.SetGroupVersionKind(deploymentKind)
	u.SetNamespace("ns")
	u.SetName(name)
	o, err := trace.NewObject(u)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func deleted(t testing.TB, name string) trace.Object {
	t.Helper()
	o, err := trace.NewDeleted(deploymentKind, "ns/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func newTrace(events ...trace.Event) *trace.Trace {
	tr := &trace.Trace{Events: events, Index: trace.Index{}}
	tr.Config.TrackedObjects = map[schema.GroupVersionKind]trace.TrackedObject{deploymentKind: {}}
	for i := range events {
		tr.Index.Record(&events[i])
	}
	return tr
}

func write(t testing.TB, tr *trace.Trace, name string) Input {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := tr.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return Input{Path: path, Name: name}
}

func compare(t testing.TB, a, b *trace.Trace, opts Options) *Report {
	t.Helper()
	r, err := Compare(context.Background(), write(t, a, "a.sktrace"), write(t, b, "b.sktrace"), opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCompare_Objects(t *testing.T) {
	a := newTrace(
		trace.Event{Time: 10, Applied: []trace.Object{newObject(t, "same", 1), newObject(t, "changed", 1), newObject(t, "removed", 1), newObject(t, "moved", 1), newObject(t, "gone", 1)}},
		trace.Event{Time: 20, Applied: []trace.Object{newObject(t, "same", 2), newObject(t, "moved", 2)}, Deleted: []trace.Object{deleted(t, "gone")}},
	)
	b := newTrace(
		trace.Event{Time: 10, Applied: []trace.Object{newObject(t, "changed", 2), newObject(t, "same", 1), newObject(t, "moved", 1)}},
		trace.Event{Time: 10, Applied: []trace.Object{newObject(t, "gone", 1), newObject(t, "added", 5)}},
		trace.Event{Time: 20, Applied: []trace.Object{newObject(t, "same", 2)}},
		trace.Event{Time: 25, Applied: []trace.Object{newObject(t, "moved", 2)}},
	)
	diff := func(name, from, to, minus, plus string) string {
		return "--- a/" + name + "\n+++ b/" + name + "\n@@ -4,4 +4,4 @@\n   name: changed\n   namespace: ns\n spec:\n-  replicas: " + minus + "\n+  replicas: " + plus + "\n"
	}
	want := &Report{
		A:       Side{Name: "a.sktrace", Start: 10, End: 20, Events: 2, Applied: 7, Deleted: 1},
		B:       Side{Name: "b.sktrace", Start: 10, End: 25, Events: 4, Applied: 7},
		Seconds: 3,
		Objects: []ObjectDifference{
			{
				Kind: "apps/v1.Deployment", Name: "ns/added", Change: Added, Seconds: 1, First: 10, Last: 10, B: ObjectSide{Applied: 1, Exists: true}, AddedLines: 7,
				Diff: "--- /dev/null\n+++ b/apps/v1.Deployment/ns/added\n@@ -0,0 +1,7 @@\n+apiVersion: apps/v1\n+kind: Deployment\n+metadata:\n+  name: added\n+  namespace: ns\n+spec:\n+  replicas: 5\n",
			},
			{
				Kind: "apps/v1.Deployment", Name: "ns/changed", Change: Changed, Seconds: 1, First: 10, Last: 10,
				A: ObjectSide{Applied: 1, Exists: true}, B: ObjectSide{Applied: 1, Exists: true}, AddedLines: 1, RemovedLines: 1,
				Diff: diff("apps/v1.Deployment/ns/changed", "", "", "1", "2"),
			},
			{
				Kind: "apps/v1.Deployment", Name: "ns/gone", Change: Moved, Seconds: 1, First: 20, Last: 20,
				A: ObjectSide{Applied: 1, Deleted: 1}, B: ObjectSide{Applied: 1, Exists: true},
			},
			{
				Kind: "apps/v1.Deployment", Name: "ns/moved", Change: Moved, Seconds: 2, First: 20, Last: 25,
				A: ObjectSide{Applied: 2, Exists: true}, B: ObjectSide{Applied: 2, Exists: true},
			},
			{
				Kind: "apps/v1.Deployment", Name: "ns/removed", Change: Removed, Seconds: 1, First: 10, Last: 10, A: ObjectSide{Applied: 1, Exists: true}, RemovedLines: 7,
				Diff: "--- a/apps/v1.Deployment/ns/removed\n+++ /dev/null\n@@ -1,7 +0,0 @@\n-apiVersion: apps/v1\n-kind: Deployment\n-metadata:\n-  name: removed\n-  namespace: ns\n-spec:\n-  replicas: 1\n",
			},
		},
	}
	if got, diff := compare(t, a, b, Options{}), cmp.Diff(want, compare(t, a, b, Options{})); diff != "" {
		t.Errorf("report (-want +got):\n%s%+v", diff, got)
	}
}

func TestCompare_Tail(t *testing.T) {
	owner := trace.PodOwner{GVK: deploymentKind, Name: "ns/a"}
	extended := func(tr *trace.Trace, x trace.Extension) *trace.Trace {
		raw, err := x.Encode()
		if err != nil {
			t.Fatal(err)
		}
		tr.Extension = raw
		return tr
	}
	at := func(second int64) *trace.Trace {
		tr := newTrace(trace.Event{Time: second, Applied: []trace.Object{newObject(t, "a", 1)}})
		tr.Lifecycles = trace.Lifecycles{owner: {7: {{State: trace.Finished, Start: second, End: second + 60}, {State: trace.Running, Start: second + 1}, {}}}}
		return extended(tr, trace.Extension{EventTimes: [][]uint16{{0}}, Pods: []trace.PodTimes{{Owner: owner, Name: "p", Created: second * 1000}}})
	}
	for name, tc := range map[string]struct {
		a, b func() *trace.Trace
		opts Options
		want func(r *Report)
	}{
		"nothing":      {func() *trace.Trace { return at(10) }, func() *trace.Trace { return at(10) }, Options{}, func(r *Report) { r.Same = true }},
		"another time": {func() *trace.Trace { return at(10) }, func() *trace.Trace { return at(3610) }, Options{Align: true}, func(r *Report) { r.Same, r.Shift = true, -3600 }},
		"no extension": {func() *trace.Trace { return at(10) }, func() *trace.Trace { tr := at(10); tr.Extension = nil; return tr }, Options{}, func(r *Report) { r.Extension = []string{"x-simkube"} }},
		"parts of it": {func() *trace.Trace { return at(10) }, func() *trace.Trace {
			return extended(at(10), trace.Extension{EventTimes: [][]uint16{{0}}, Gaps: []trace.Gap{{From: 1, To: 2}}})
		}, Options{}, func(r *Report) { r.Extension = []string{"gaps", "pods"} }},
		"an index": {func() *trace.Trace { return at(10) }, func() *trace.Trace { tr := at(10); tr.Index[deploymentKind]["ns/a"] = 1; return tr }, Options{}, func(r *Report) {
			r.Index = []IndexDifference{{Kind: "apps/v1.Deployment", Name: "ns/a", A: at(10).Index[deploymentKind]["ns/a"], B: 1}}
		}},
		"a configuration": {func() *trace.Trace { return at(10) }, func() *trace.Trace {
			tr := at(10)
			tr.Config.TrackedObjects[deploymentKind] = trace.TrackedObject{TrackLifecycle: true}
			return tr
		}, Options{}, func(r *Report) {
			r.Config = []ConfigDifference{{Kind: "apps/v1.Deployment", A: "{}\n", B: "trackLifecycle: true\n"}}
		}},
		"a kind less": {func() *trace.Trace { return at(10) }, func() *trace.Trace { tr := at(10); tr.Config.TrackedObjects = nil; return tr }, Options{}, func(r *Report) { r.Config = []ConfigDifference{{Kind: "apps/v1.Deployment", A: "{}\n"}} }},
		"other lifecycles": {func() *trace.Trace { return at(10) }, func() *trace.Trace { tr := at(10); tr.Lifecycles[owner][7] = tr.Lifecycles[owner][7][:1]; return tr }, Options{}, func(r *Report) {
			r.Lifecycles = []LifecycleDifference{{
				Kind: "apps/v1.Deployment", Name: "ns/a", Hash: 7,
				A: []string{"ran from 1970-01-01T00:00:10Z to 1970-01-01T00:01:10Z (1m0s)", "ran from 1970-01-01T00:00:11Z", "did not run"},
				B: []string{"ran from 1970-01-01T00:00:10Z to 1970-01-01T00:01:10Z (1m0s)"},
			}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := compare(t, tc.a(), tc.b(), tc.opts)
			want := &Report{A: got.A, B: got.B}
			tc.want(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCompare_Itself checks that a trace does not differ from itself, and differs from an empty
// one.
func TestCompare_Itself(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*.sktrace")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bare-pods.sktrace", "cronjob.sktrace"} {
		if path := filepath.Join("..", "..", "..", "shared", "traces", name); fileExists(path) {
			paths = append(paths, path)
		}
	}
	empty := write(t, newTrace(trace.Event{Time: 1}), "empty.sktrace")
	for _, path := range paths {
		itself, err := Compare(t.Context(), Input{Path: path}, Input{Path: path}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !itself.Same {
			t.Errorf("%s differs from itself: %+v", path, itself)
		}
		// A copy may be encoded differently.
		tr, err := trace.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copied, err := Compare(t.Context(), Input{Path: path}, write(t, tr, "copy.sktrace"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !copied.Same {
			t.Errorf("%s differs from its canonical form: %+v", path, copied)
		}
		other, err := Compare(t.Context(), Input{Path: path}, empty, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range other.Objects {
			if o.Change != Removed || o.Diff == "" {
				t.Errorf("%s and nothing: %s %s is %s", path, o.Kind, o.Name, o.Change)
			}
		}
		if other.Same || len(other.Objects) == 0 {
			t.Errorf("%s does not differ from nothing", path)
		}
	}
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestCompare_Errors(t *testing.T) {
	good := write(t, newTrace(trace.Event{Time: 1}), "good.sktrace")
	bad := filepath.Join(t.TempDir(), "bad.sktrace")
	if err := os.WriteFile(bad, []byte{0x93}, 0o600); err != nil {
		t.Fatal(err)
	}
	var format *trace.FormatError
	if _, err := Compare(t.Context(), good, Input{Path: bad, Name: "s3://b/bad"}, Options{}); !errors.As(err, &format) {
		t.Errorf("a damaged trace: got %v, want a FormatError", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	if _, err := Compare(ctx, good, good, Options{}); !errors.Is(err, stopped) {
		t.Errorf("interrupted: got %v, want %v", err, stopped)
	}
}
