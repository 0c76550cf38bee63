package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	podKind        = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	deploymentKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	widgetKind     = schema.GroupVersionKind{Group: "example.com", Version: "v1alpha1", Kind: "Widget"}
	roleKind       = schema.GroupVersionKind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole"}
)

// sameTrace compares traces. It compares objects decoded.
func sameTrace() cmp.Option {
	return cmp.Options{
		cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b Object) bool {
			ua, errA := a.Unstructured()
			ub, errB := b.Unstructured()
			return errA == nil && errB == nil && cmp.Equal(ua.Object, ub.Object) && a.GVK() == b.GVK() &&
				a.NamespacedName() == b.NamespacedName() && a.Hash() == b.Hash()
		}),
	}
}

func mustRead(t testing.TB, data []byte) *Trace {
	t.Helper()
	got, err := Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func mustWrite(t testing.TB, tr *Trace) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tr.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRead(t *testing.T) {
	for _, version := range []string{"v2", "v1", "reversed"} {
		t.Run(version, func(t *testing.T) {
			got := mustRead(t, fixtures()[version])
			wantConfig := Config{TrackedObjects: map[schema.GroupVersionKind]TrackedObject{
				deploymentKind: {TrackLifecycle: true},
				widgetKind:     {PodSpecTemplatePaths: []string{"/spec/parts/*/template"}},
				roleKind:       {},
				podKind:        {TrackLifecycle: true, SkipOwned: true},
			}}
			if diff := cmp.Diff(wantConfig, got.Config); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
			wantIndex := Index{deploymentKind: {"default/web": math.MaxUint64}, podKind: {"batch/lone": 77}}
			if diff := cmp.Diff(wantIndex, got.Index); diff != "" {
				t.Errorf("index (-want +got):\n%s", diff)
			}
			wantLifecycles := Lifecycles{
				{deploymentKind, "default/web"}: {
					2151974655102796215: {{State: Running, Start: 1_700_000_010}, {}},
					7:                   {},
				},
				{podKind, "batch/lone"}: {math.MaxUint64: {{Finished, 1_700_000_020, 1_700_000_050}}},
			}
			if diff := cmp.Diff(wantLifecycles, got.Lifecycles); diff != "" {
				t.Errorf("lifecycles (-want +got):\n%s", diff)
			}
			wantEvents := []eventNames{
				{1_700_000_000, []string{"apps/v1.Deployment default/web", "rbac.authorization.k8s.io/v1.ClusterRole reader"}, nil},
				{1_700_000_000, []string{"v1.Pod batch/lone", "example.com/v1alpha1.Widget default/strange"}, nil},
				{1_700_000_090, nil, []string{"apps/v1.Deployment default/web"}},
			}
			if diff := cmp.Diff(wantEvents, namesOf(got)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// eventNames is a short form of an event for expectations.
type eventNames struct {
	Time             int64
	Applied, Deleted []string
}

func namesOf(tr *Trace) (all []eventNames) {
	names := func(objs []Object) (names []string) {
		for i := range objs {
			names = append(names, PodOwner{objs[i].GVK(), objs[i].NamespacedName()}.String())
		}
		return names
	}
	for _, e := range tr.Events {
		all = append(all, eventNames{e.Time, names(e.Applied), names(e.Deleted)})
	}
	return all
}

func TestRead_Fixtures(t *testing.T) {
	for name, data := range fixtures() {
		t.Run(name, func(t *testing.T) {
			want := mustRead(t, data)
			for how, r := range map[string]io.Reader{
				"one byte at a time": iotest.OneByteReader(bytes.NewReader(data)),
				"end with the data":  iotest.DataErrReader(bytes.NewReader(data)),
			} {
				got, err := Read(r)
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if diff := cmp.Diff(want, got, sameTrace()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", how, diff)
				}
			}
		})
	}
}

func TestRead_Extension(t *testing.T) {
	extension := pack(ordered{"version", 1, "nodes", []any{wideInt(1), raw{mFixExt, 1, 2}}})
	got := mustRead(t, pack(traceFields.with("x-simkube", raw(extension))))
	if !bytes.Equal(got.Extension, extension) {
		t.Errorf("extension: got %x, want %x", got.Extension, extension)
	}
	if again := mustRead(t, mustWrite(t, got)); !bytes.Equal(again.Extension, extension) {
		t.Errorf("extension after writing: got %x, want %x", again.Extension, extension)
	}
}

// A file whose events are out of order can be read, so that it can be inspected and repaired.
func TestRead_EventsOutOfOrder(t *testing.T) {
	event := ordered{"ts", 5, "applied_objs", []any{}, "deleted_objs", []any{}}
	got, err := Read(bytes.NewReader(pack(traceFields.with("events", []any{event, event.with("ts", 4)}))))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Events) != 2 || got.Events[0].Time != 5 || got.Events[1].Time != 4 {
		t.Errorf("got %v, want the times 5 and 4", got.Events)
	}
}

func TestRead_Large(t *testing.T) {
	var events []any
	for i := range 60 {
		size := 100
		if i%20 == 5 {
			size = 3 * maxChunk
		}
		obj := podManifest.with("spec", ordered{"text", strings.Repeat("x", size), "n", i})
		events = append(events, ordered{"ts", i, "applied_objs", []any{obj, podManifest}, "deleted_objs", []any{}})
	}
	data := pack(traceFields.with("events", events))
	for how, r := range map[string]io.Reader{"whole": bytes.NewReader(data), "in halves": iotest.HalfReader(bytes.NewReader(data))} {
		t.Run(how, func(t *testing.T) {
			got, err := Read(r)
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range got.Events {
				u, err := e.Applied[0].Unstructured()
				if err != nil {
					t.Fatal(err)
				}
				spec := u.Object["spec"].(map[string]any)
				if n := spec["n"]; n != int64(i) || !bytes.Equal(e.Applied[1].Raw(), pack(podManifest)) {
					t.Errorf("event %d has the objects of event %v", i, n)
				}
			}
		})
	}
}

func TestRead_SourceFails(t *testing.T) {
	data := fixtures()["v2"]
	broken := errors.New("the disk is on fire")
	for cut := range len(data) {
		_, err := Read(io.MultiReader(bytes.NewReader(data[:cut]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || errors.As(err, new(*FormatError)) {
			t.Fatalf("after %d bytes: got %v, want the source's own error", cut, err)
		}
	}
}

func TestReader_Streaming(t *testing.T) {
	data := fixtures()["v2"]
	t.Run("tail without events", func(t *testing.T) {
		r, err := NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if r.Version() != 2 || r.Len() != 3 {
			t.Errorf("got version %d and %d events, want 2 and 3", r.Version(), r.Len())
		}
		tail, err := r.Tail()
		if err != nil {
			t.Fatal(err)
		}
		if len(tail.Index) != 2 {
			t.Errorf("index: got %d kinds, want 2", len(tail.Index))
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("Next after Tail: got %v, want io.EOF", err)
		}
		if again, err := r.Tail(); again != tail || err != nil {
			t.Errorf("Tail again: got %v %v, want the same", again, err)
		}
	})
	t.Run("the error stays", func(t *testing.T) {
		r, err := NewReader(bytes.NewReader(data[:len(data)/2]))
		if err != nil {
			t.Fatal(err)
		}
		_, first := r.Tail()
		_, second := r.Next()
		if !errors.Is(first, ErrTruncated) || !errors.Is(second, first) {
			t.Errorf("got %v, then %v, want ErrTruncated twice", first, second)
		}
	})
	t.Run("an error ends the events", func(t *testing.T) {
		r, err := NewReader(bytes.NewReader(data[:len(data)/2]))
		if err != nil {
			t.Fatal(err)
		}
		next, stop := iter.Pull2(r.Events())
		defer stop()
		var last error
		for {
			_, err, ok := next()
			if !ok {
				break
			}
			last = err
		}
		if !errors.Is(last, ErrTruncated) {
			t.Errorf("got %v, want ErrTruncated", last)
		}
	})
	t.Run("clones stay", func(t *testing.T) {
		r, err := NewReader(iotest.OneByteReader(bytes.NewReader(data)))
		if err != nil {
			t.Fatal(err)
		}
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		event, obj := e.Clone(), e.Applied[0].Clone()
		if _, err := r.Tail(); err != nil {
			t.Fatal(err)
		}
		want := mustRead(t, data).Events[0]
		if diff := cmp.Diff(want, event, sameTrace()); diff != "" {
			t.Errorf("event (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want.Applied[0], obj, sameTrace()); diff != "" {
			t.Errorf("object (-want +got):\n%s", diff)
		}
	})
}

func TestReadV1_Owners(t *testing.T) {
	named := func(apiVersion, kind string, replicas int) ordered {
		return ordered{"apiVersion", apiVersion, "kind", kind, "metadata", ordered{"name", "x"}, "spec", ordered{"replicas", replicas}}
	}
	event := func(objs ...any) []any {
		return []any{ordered{"ts", 1, "applied_objs", objs, "deleted_objs", []any{}}}
	}
	config := func(deployment, service ordered) ordered {
		return ordered{"trackedObjects", ordered{"apps/v1.Deployment", deployment, "v1.Service", service}}
	}
	hash, err := HashValue(map[string]any{"replicas": 2})
	if err != nil {
		t.Fatal(err)
	}
	lifecycles := ordered{"x", ordered{1, []any{"Empty"}}}
	tracked := ordered{"trackLifecycle", true}
	both := event(named("apps/v1", "Deployment", 1), named("v1", "Service", 2))
	tests := []struct {
		name    string
		trace   []any
		want    PodOwner
		wantErr string
	}{
		{
			name:  "the only kind of the name",
			trace: []any{config(ordered{}, ordered{}), event(named("apps/v1", "Deployment", 1)), ordered{}, lifecycles},
			want:  PodOwner{deploymentKind, "x"},
		},
		{
			name:  "the only kind with lifecycles",
			trace: []any{config(tracked, ordered{}), both, ordered{"x", hash}, lifecycles},
			want:  PodOwner{deploymentKind, "x"},
		},
		{
			name:    "two kinds with lifecycles",
			trace:   []any{config(tracked, tracked), both, ordered{}, lifecycles},
			wantErr: "pod_lifecycles.x: the name is ambiguous: in the events it is apps/v1.Deployment and v1.Service",
		},
		{
			name:    "unknown",
			trace:   []any{config(tracked, tracked), both, ordered{}, ordered{"y", ordered{}}},
			wantErr: "pod_lifecycles.y: no event has an object of this name of a tracked kind, so its kind cannot be determined",
		},
		{
			name:    "index of two kinds, neither with the hash",
			trace:   []any{config(tracked, tracked), both, ordered{"x", 5}, ordered{}},
			wantErr: "index.x: the name is ambiguous: in the events it is apps/v1.Deployment and v1.Service",
		},
		{
			name:    "kind not tracked",
			trace:   []any{ordered{}, both, ordered{}, lifecycles},
			wantErr: "pod_lifecycles.x: no event has an object of this name of a tracked kind, so its kind cannot be determined",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := pack(test.trace)
			got, err := Read(bytes.NewReader(data))
			if test.wantErr != "" {
				name, _, _ := strings.Cut(test.wantErr, ":")
				at := bytes.LastIndex(data, pack(name[len(name)-1:]))
				if want := fmt.Sprintf("byte %d: %s", at, test.wantErr); err == nil || err.Error() != want || !errors.Is(err, ErrOwner) {
					t.Fatalf("got error %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := got.Lifecycles[test.want]; !ok || len(got.Lifecycles) != 1 {
				t.Errorf("got lifecycles %v, want those of %s", got.Lifecycles, test.want)
			}
		})
	}
}
