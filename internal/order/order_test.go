package order

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/trace"
)

const origin = 1_700_000_000

// happening is an event of a test's trace: its second, and manifests or shorthands for them.
type happening struct {
	second           int64
	applied, deleted []string
}

// manifest expands shorthands: "web 2" is a Deployment with two replicas in the namespace app, and
// "ns/app" a Namespace.
func manifest(tb testing.TB, text string) trace.Object {
	tb.Helper()
	var name string
	var replicas int
	switch n, _ := fmt.Sscanf(text, "%s %d", &name, &replicas); {
	case text[0] == '{':
	case len(name) > 3 && name[:3] == "ns/":
		text = fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", name[3:])
	case n == 2:
		text = fmt.Sprintf("{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: app, name: %s}, spec: {replicas: %d}}", name, replicas)
	default:
		text = fmt.Sprintf("{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: app, name: %s}}", name)
	}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(data); err != nil {
		tb.Fatal(err)
	}
	object, err := trace.NewObject(u)
	if err != nil {
		tb.Fatal(err)
	}
	return object
}

func surveyed(tb testing.TB, tail *trace.Tail, happenings []happening) *Orders {
	tb.Helper()
	s := NewSurvey()
	for _, h := range happenings {
		event := trace.Event{Time: origin + h.second}
		for _, text := range h.applied {
			event.Applied = append(event.Applied, manifest(tb, text))
		}
		for _, text := range h.deleted {
			event.Deleted = append(event.Deleted, manifest(tb, text))
		}
		s.Add(&event)
	}
	return s.Orders(tail)
}

func millisecond(n int) time.Duration { return time.Duration(n) * time.Millisecond }

var (
	deploymentKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	changed        = []Turn{{Object: 0}, {Object: 1, After: lived}}
	recreated      = []Turn{{Object: 1}, {Object: 0}}
	guessed        = []Turn{{Object: 0, Guessed: true}, {Object: 1, After: lived, Guessed: true}}
)

// The event with the index 1 is that of interest, unless the case says otherwise.
func TestSurvey_Orders(t *testing.T) {
	both := happening{10, []string{"web 3"}, []string{"web"}}
	index := func(names ...string) trace.Index {
		x := trace.Index{deploymentKind: {}}
		for _, name := range names {
			x[deploymentKind]["app/"+name] = 1
		}
		return x
	}
	for name, c := range map[string]struct {
		events []happening
		tail   trace.Tail
		want   []Turn
	}{
		"created and deleted":         {[]happening{{0, []string{"ns/app"}, nil}, both}, trace.Tail{}, changed},
		"nothing known":               {[]happening{{0, []string{"web 2"}, nil}, both, {60, []string{"other 1"}, nil}}, trace.Tail{}, guessed},
		"applied as before":           {[]happening{{0, []string{"web 3"}, nil}, both}, trace.Tail{}, recreated},
		"deleted later":               {[]happening{{0, []string{"web 2"}, nil}, both, {60, nil, []string{"web"}}}, trace.Tail{}, recreated},
		"deleted later in the second": {[]happening{{0, []string{"web 2"}, nil}, both, {10, nil, []string{"web"}}}, trace.Tail{}, recreated},
		"applied later":               {[]happening{{0, []string{"web 2"}, nil}, both, {60, []string{"web 1"}, nil}, {70, nil, []string{"web"}}}, trace.Tail{}, guessed},
		"in an index of what exists": {
			[]happening{{0, []string{"web 2", "old 1"}, nil}, both, {60, nil, []string{"old"}}},
			trace.Tail{Index: index("web")},
			recreated,
		},
		"not in an index of what exists": {
			[]happening{{0, []string{"web 2", "old 1"}, nil}, both, {60, nil, []string{"old"}}},
			trace.Tail{Index: index("other")},
			changed,
		},
		"in an index of everything": {
			[]happening{{0, []string{"web 2", "old 1"}, nil}, both, {60, nil, []string{"old"}}},
			trace.Tail{Index: index("web", "old")},
			guessed,
		},
		"pods started later": {
			[]happening{{0, []string{"web 2"}, nil}, both},
			trace.Tail{Lifecycles: trace.Lifecycles{
				{GVK: deploymentKind, Name: "app/web"}: {0: {{State: trace.Running, Start: origin + 11}}},
			}},
			recreated,
		},
		"pods started before": {
			[]happening{{0, []string{"web 2"}, nil}, both},
			trace.Tail{Lifecycles: trace.Lifecycles{
				{GVK: deploymentKind, Name: "app/web"}: {0: {{State: trace.Finished, Start: origin + 1, End: origin + 10}}},
			}},
			guessed,
		},
		"the same UID": {[]happening{
			{0, []string{"web 2"}, nil},
			{
				10,
				[]string{"{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: app, name: web, uid: a}}"},
				[]string{"{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: app, name: web, uid: a}}"},
			},
		}, trace.Tail{}, changed},
		"another creation time": {[]happening{
			{0, []string{"web 2"}, nil},
			{
				10,
				[]string{"{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: app, name: web, creationTimestamp: '2023-11-14T22:13:30Z'}}"},
				[]string{"{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: app, name: web, creationTimestamp: '2023-11-14T22:13:20Z'}}"},
			},
		}, trace.Tail{}, recreated},
		"deleted, created and deleted": {
			[]happening{{0, []string{"web 2"}, nil}, {10, []string{"web 3"}, []string{"web", "web"}}},
			trace.Tail{},
			[]Turn{{Object: 1}, {Object: 0}, {Object: 2, After: lived}},
		},
		"created, changed and deleted": {
			[]happening{{0, []string{"ns/app"}, nil}, {10, []string{"web 1", "web 2"}, []string{"web"}}},
			trace.Tail{},
			[]Turn{{Object: 0, Guessed: true}, {Object: 1, Guessed: true}, {Object: 2, After: lived, Guessed: true}},
		},
		"a namespace and what is in it": {
			[]happening{
				{0, []string{"ns/app", "web 2"}, nil},
				{10, []string{"ns/app", "web 3"}, []string{"web", "ns/app"}},
				{60, []string{"other 1"}, nil},
			},
			trace.Tail{},
			[]Turn{{Object: 3}, {Object: 0}, {Object: 2}, {Object: 1}},
		},
		"a namespace that is gone": {
			[]happening{
				{0, []string{"{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {a: b}}}"}, nil},
				{10, []string{"ns/app"}, []string{"ns/app"}},
				{60, []string{"ns/app", "other 1"}, nil},
			}, trace.Tail{}, guessed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, surveyed(t, &c.tail, c.events).Of(1)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSurvey_Orders_times(t *testing.T) {
	events := []happening{
		{0, []string{"web 2"}, nil},
		{10, []string{"web 3", "x 1"}, []string{"web"}},
		{10, []string{"web 4"}, []string{"web"}},
		{60, []string{"other 1"}, nil},
	}
	extension := func(times ...[]uint16) []byte {
		x := trace.Extension{EventTimes: times}
		data, err := x.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	tail := trace.Tail{Extension: extension([]uint16{0}, []uint16{300, 0, 200}, []uint16{600, 900}, []uint16{0})}
	orders := surveyed(t, &tail, events)
	got := [][]Turn{orders.Of(0), orders.Of(1), orders.Of(2), orders.Of(3)}
	want := [][]Turn{
		nil,
		{{Object: 2}, {Object: 0, After: millisecond(100)}},
		{{Object: 0, After: millisecond(400)}, {Object: 1, After: millisecond(700)}},
		nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Times of other events have no meaning.
	tail.Extension = extension([]uint16{0}, []uint16{300, 0}, []uint16{600, 900}, []uint16{0})
	want = [][]Turn{
		nil,
		{{Object: 0, Guessed: true}, {Object: 2, After: lived, Guessed: true}},
		{{Object: 0, After: lived, Guessed: true}, {Object: 1, After: 2*lived - millisecond(1), Guessed: true}},
		nil,
	}
	orders = surveyed(t, &tail, events)
	got = [][]Turn{orders.Of(0), orders.Of(1), orders.Of(2), orders.Of(3)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("without times (-want +got):\n%s", diff)
	}
}

// The events of a second are one after the other.
func TestSurvey_Orders_secondOfSeveralEvents(t *testing.T) {
	orders := surveyed(t, &trace.Tail{}, []happening{
		{0, []string{"ns/app"}, nil}, {10, []string{"web 1"}, nil}, {10, nil, []string{"web"}}, {10, []string{"web 2"}, nil},
	})
	got := [][]Turn{orders.Of(1), orders.Of(2), orders.Of(3)}
	want := [][]Turn{{{Object: 0}}, {{Object: 0, After: lived}}, {{Object: 0, After: lived}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGuess(t *testing.T) {
	event := trace.Event{Applied: []trace.Object{manifest(t, "web 1"), manifest(t, "x 1")}, Deleted: []trace.Object{manifest(t, "web"), manifest(t, "other")}}
	want := []Turn{{Object: 0, Guessed: true}, {Object: 2, After: lived, Guessed: true}}
	if diff := cmp.Diff(want, Guess(&event)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
