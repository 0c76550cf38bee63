package simulation

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/trace"
)

const start = 1_700_000_000

func object(t *testing.T, spec map[string]any) trace.Object {
	t.Helper()
	o, err := trace.NewObject(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"namespace": "shop", "name": "web"}, "spec": spec,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// write writes a trace with an event at each of the times. The last time is written without the
// checks of a trace.Writer.
func write(t *testing.T, times ...int64) string {
	t.Helper()
	tr := trace.Trace{Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{}}}
	for _, at := range times {
		tr.Events = append(tr.Events, trace.Event{Time: at, Applied: []trace.Object{object(t, map[string]any{"replicas": int64(1)})}})
	}
	path := filepath.Join(t.TempDir(), "a.sktrace")
	if err := tr.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPrepare_Length(t *testing.T) {
	const hours = 60 * 60
	for name, tc := range map[string]struct {
		times    []int64
		clock    Time
		duration time.Duration
		speed    float64
		want     []string // in the error; nil for none
		note     string
	}{
		"a month":             {times: []int64{start, start + maxIdle}, clock: Virtual},
		"more than a month":   {times: []int64{start, start + 5, start + 6 + maxIdle + hours}, clock: Virtual, want: []string{"between event 1 (2023-11-14T22:13:25Z) and event 2 (2023-12-15T23:13:26Z) there are 31 days and 1 hour without an event", "--duration"}},
		"years":               {times: []int64{start, start + 3*year}, clock: Virtual, want: []string{"there are 3 years without an event"}},
		"years, cut":          {times: []int64{start, start + 60, start + 3*year}, clock: Virtual, duration: time.Hour},
		"years, not cut":      {times: []int64{start, start + 3*year}, clock: Virtual, duration: 3 * year * time.Second, want: []string{"there are 3 years without an event"}},
		"years of small gaps": {times: []int64{start, start + maxIdle, start + 2*maxIdle, start + 3*maxIdle}, clock: Virtual},
		"wall clock":          {times: []int64{start, start + 3*year}, clock: Real, note: "on the wall clock this replay takes 3 years: between event 0"},
		"wall clock, fast":    {times: []int64{start, start + year}, clock: Real, speed: 100_000},
		"wall clock, a week":  {times: []int64{start, start + 7*day}, clock: Real},
		"centuries":           {times: []int64{start, start + 300*year}, clock: Real, want: []string{"longer than any clock can count", "300 years"}},
		"slow motion":         {times: []int64{start, start + year}, clock: Real, speed: 0.001, want: []string{"longer than any clock can count"}},
		"the end of time":     {times: []int64{start, math.MaxInt64}, clock: Virtual, want: []string{"longer than any clock can count", "second 9223372036854775807"}},
		"the end, cut":        {times: []int64{start, math.MaxInt64}, clock: Virtual, duration: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			spec := Spec{Trace: write(t, tc.times...), Time: tc.clock, Duration: tc.duration, Speed: tc.speed, Nodes: nodes.Spec{Count: 1}}
			prepared, err := Prepare(t.Context(), spec)
			if tc.want == nil && err != nil {
				t.Fatal(err)
			}
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, ErrTooLong) {
					t.Errorf("got error %v, want one with %q", err, want)
				}
			}
			if err != nil {
				return
			}
			noted := false
			for _, note := range prepared.Notes() {
				noted = noted || strings.HasPrefix(note.Text, "on the wall clock this replay takes")
				if tc.note != "" && strings.HasPrefix(note.Text, "on the wall clock") && !strings.HasPrefix(note.Text, tc.note) {
					t.Errorf("got note %q, want %q", note.Text, tc.note)
				}
			}
			if noted != (tc.note != "") {
				t.Errorf("got a note about the length: %t, want %t", noted, tc.note != "")
			}
		})
	}
}

// A recorded pod that ends years after the last event counts.
func TestSpan_End(t *testing.T) {
	var s span
	s.add(start)
	s.add(start - 10) // out of order
	s.add(start + 10)
	s.end(start + 2*year)
	if got, want := s.longest.String(), "and the end of the last recorded pod (2025-11-13T22:13:20Z) there are 1 year and 364 days"; !strings.Contains(got, want) {
		t.Errorf("got %q, want it to have %q", got, want)
	}
	if got := distance(math.MinInt64, math.MaxInt64); got != math.MaxInt64 {
		t.Errorf("from one end of time to the other: got %d, want %d", got, int64(math.MaxInt64))
	}
}

func TestPrepare_Unbearable(t *testing.T) {
	tr := trace.Trace{
		Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{}},
		Events: []trace.Event{
			{Time: start, Applied: []trace.Object{object(t, map[string]any{"replicas": int64(1)})}},
			{Time: start + 1, Applied: []trace.Object{object(t, map[string]any{"replicas": int64(5_000_000)})}},
		},
	}
	path := filepath.Join(t.TempDir(), "a.sktrace")
	if err := tr.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	_, err := Prepare(t.Context(), Spec{Trace: path, Time: Virtual})
	want := "event 1: apps/v1.Deployment shop/web: spec.replicas: 5000000 is more than 1000000 pods, the maximum"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one with %q", err, want)
	}
	if _, err := Prepare(t.Context(), Spec{Trace: path, Time: Virtual, Duration: time.Millisecond}); err != nil {
		t.Errorf("cut before it: %v", err)
	}
}

// A trace of a year that no clock can show is replayed on a date with the same time of day and day
// of the week.
func TestPrepare_Date(t *testing.T) {
	for name, tc := range map[string]struct {
		first int64
		clock Time
		want  string
		note  string
	}{
		"usual":           {start, Virtual, "2023-11-14T22:13:20Z", ""},
		"the first":       {1_262_304_000, Virtual, "2010-01-01T00:00:00Z", ""},
		"a second before": {1_262_303_999, Virtual, "2037-12-31T23:59:59Z", "the trace begins at 2009-12-31T23:59:59Z"},
		"zero":            {0, Virtual, "2026-01-01T00:00:00Z", "the trace begins at 1970-01-01T00:00:00Z"},
		"a minute before": {-60, Virtual, "2025-12-31T23:59:00Z", "the trace begins at 1969-12-31T23:59:00Z"},
		"a leap day":      {-58_017_600, Virtual, "2024-02-29T12:00:00Z", "the trace begins at 1968-02-29T12:00:00Z"},
		"far future":      {7_289_654_400, Virtual, "2032-12-30T00:00:00Z", "the trace begins at 2201-01-01T00:00:00Z"},
		"no date at all":  {math.MinInt64 + 5, Virtual, "2024-09-08T08:29:57Z", "the trace begins at second -9223372036854775803"},
		"on the wall":     {0, Real, "2026-01-01T00:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			prepared, err := Prepare(t.Context(), Spec{Trace: write(t, tc.first, tc.first+90), Time: tc.clock, Nodes: nodes.Spec{Count: 1}})
			if err != nil {
				t.Fatal(err)
			}
			got := prepared.ClockOrigin()
			if got.Format(time.RFC3339) != tc.want {
				t.Errorf("the clock shows %s, want %s", got.Format(time.RFC3339), tc.want)
			}
			if recorded := time.Unix(tc.first, 0).UTC(); name != "no date at all" && (got.Weekday() != recorded.Weekday() || got.Format(time.TimeOnly) != recorded.Format(time.TimeOnly)) {
				t.Errorf("the clock shows %s, want the time and the day of the week of %s", got, recorded)
			}
			note := ""
			for _, n := range prepared.Notes() {
				if strings.HasPrefix(n.Text, "the trace begins at") {
					note = n.Text
				}
			}
			if !strings.HasPrefix(note, tc.note) || (note == "") != (tc.note == "") {
				t.Errorf("got note %q, want %q", note, tc.note)
			}
		})
	}
}

// A lifecycle without an end does not extend a trace that is before 1970.
func TestPrepare_NegativeEnd(t *testing.T) {
	p := &Prepared{}
	p.bound(-500, -400, trace.Lifecycles{{Name: "shop/web"}: {1: {{State: trace.Running, Start: -450}, {State: trace.Finished, Start: -450, End: -300}, {}}}})
	if p.origin != -500 || p.end != -300 {
		t.Errorf("the replay goes from %d to %d, want -500 to -300", p.origin, p.end)
	}
}

// What is left out is noted before the start. Only what may have had an effect on pods is a
// deviation.
func TestPrepare_LeftOut(t *testing.T) {
	left := func(gvk schema.GroupVersionKind, name string, fields map[string]any) trace.Object {
		fields["apiVersion"], fields["kind"], fields["metadata"] = gvk.GroupVersion().String(), gvk.Kind, map[string]any{"name": name}
		o, err := trace.NewObject(&unstructured.Unstructured{Object: fields})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	service := schema.GroupVersionKind{Group: "apiregistration.k8s.io", Version: "v1", Kind: "APIService"}
	tr := trace.Trace{
		Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{}},
		Events: []trace.Event{{Time: start, Applied: []trace.Object{
			left(service, "v1.apps", map[string]any{}),
			left(service, "v1beta1.metrics.k8s.io", map[string]any{"spec": map[string]any{"service": map[string]any{"name": "metrics-server"}}}),
			left(schema.GroupVersionKind{Version: "v1", Kind: "Node"}, "a", map[string]any{}),
		}}},
	}
	path := filepath.Join(t.TempDir(), "a.sktrace")
	if err := tr.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	p, err := Prepare(t.Context(), Spec{Trace: path, Nodes: nodes.Spec{Count: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, note := range p.Notes() {
		texts = append(texts, note.Text)
	}
	for _, want := range []string{"objects left out: APIService (2): ", "objects left out: Node (1): "} {
		if all := strings.Join(texts, "\n"); !strings.Contains(all, want) {
			t.Errorf("no note has %q:\n%s", want, all)
		}
	}
	deviations := p.leftOut()
	if len(deviations) != 1 || deviations[0].Object != "apiregistration.k8s.io/v1.APIService" || deviations[0].Count != 1 || deviations[0].Category != "leftOut" {
		t.Errorf("got deviations %+v, want one of one APIService", deviations)
	}
}

// A workload that was deleted and created again within a second exists afterwards: it needs nodes,
// and its later pods are those of another incarnation.
func TestPrepare_InOrder(t *testing.T) {
	job := schema.GroupVersionKind{Group: "batch.example.com", Version: "v1", Kind: "Job"}
	made := func(name string, replicas int64) trace.Object {
		containers := []any{map[string]any{"name": "c", "resources": map[string]any{"requests": map[string]any{"cpu": "1"}}}}
		o, err := trace.NewObject(&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "batch.example.com/v1", "kind": "Job", "metadata": map[string]any{"namespace": "shop", "name": name},
			"spec": map[string]any{"replicas": replicas, "template": map[string]any{"spec": map[string]any{"restartPolicy": "Never", "containers": containers}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	owner := trace.PodOwner{GVK: job, Name: "shop/a"}
	tr := trace.Trace{
		Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{job: {PodSpecTemplatePaths: []string{"/spec/template"}}}},
		Events: []trace.Event{
			{Time: start, Applied: []trace.Object{made("a", 2)}},
			{Time: start + 60, Applied: []trace.Object{made("a", 2)}, Deleted: []trace.Object{made("a", 2)}},
			{Time: start + 90, Applied: []trace.Object{made("b", 3)}},
		},
		Lifecycles: trace.Lifecycles{owner: {1: {
			{State: trace.Finished, Start: start + 1, End: start + 31}, {State: trace.Finished, Start: start + 61, End: start + 91},
		}}},
	}
	path := filepath.Join(t.TempDir(), "a.sktrace")
	if err := tr.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	p, err := Prepare(t.Context(), Spec{Trace: path, Nodes: nodes.Spec{}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if got := p.lifecycles.Incarnation(owner, n); len(got) != 1 || got[0].Start != start+1+int64(60*n) {
			t.Errorf("incarnation %d has the lifecycles %+v, want the one of its pod", n, got)
		}
	}
	if want := "5 pods"; !strings.Contains(p.plan.Summary, want) {
		t.Errorf("the plan is %q, want one for %s", p.plan.Summary, want)
	}
}
