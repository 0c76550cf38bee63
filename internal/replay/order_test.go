package replay

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/order"
	"simkube.io/simkube/trace"
)

const (
	widgetDefinition = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, " +
		"spec: {group: example.com, names: {kind: Widget}, versions: [{name: v1, served: true}, {name: v1alpha1, served: true}, {name: v0, served: false}]}}"
	widget       = "{apiVersion: example.com/v1, kind: Widget, metadata: {namespace: ns, name: w}}"
	formerWidget = "{apiVersion: example.com/v1alpha1, kind: Widget, metadata: {namespace: ns, name: old}}"
)

// serveWidgets makes a target serve a kind some time after its definition was applied.
func serveWidgets(target *fake, after time.Duration) {
	target.fail = func(verb string, at place) error {
		if verb == "apply" && at.name == "widgets.example.com" {
			time.AfterFunc(after, func() {
				target.mu.Lock()
				defer target.mu.Unlock()
				for _, version := range []string{"v1", "v1alpha1"} {
					target.served[schema.GroupVersionKind{Group: "example.com", Version: version, Kind: "Widget"}] = true
				}
			})
		}
		return nil
	}
}

func namespace(name string) string {
	return "{apiVersion: v1, kind: Namespace, metadata: {name: " + name + "}}"
}

// fixed is a ConfigMap of which a part cannot be changed.
func fixed(name, value string) string {
	return "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: ns, name: " + name + ", annotations: {fixed: '" + value + "'}}}"
}

// surveyed returns the orders of events.
func surveyed(events ...trace.Event) *order.Orders {
	survey := order.NewSurvey()
	for i := range events {
		survey.Add(&events[i])
	}
	return survey.Orders(&trace.Tail{})
}

// Within an event, objects are applied in the order in which they need each other, and deleted in
// the opposite one.
func TestRun_ranks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.takes = time.Second
		serveWidgets(target, 0)
		manifests := []string{
			podManifest("ns", "p"), deployment("ns", "d"), widget, configMap("ns", "c"),
			"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}}", widgetDefinition, namespace("ns"),
		}
		report, _, err := replayed(t, target, Options{}, Plan{}, event(t, 0, manifests, nil), event(t, 60, nil, manifests))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"apply namespaces ns", "apply customresourcedefinitions widgets.example.com", "apply priorityclasses high",
			"apply configmaps ns/c", "apply widgets ns/w", "apply deployments ns/d", "apply pods ns/p",
		}
		got := target.lines("apply")
		slices.Sort(got[5:])
		slices.Sort(want[5:])
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("applied (-want +got):\n%s", diff)
		}
		deleted := target.lines("delete")
		last := deleted[len(deleted)-2:]
		slices.Sort(last)
		if diff := cmp.Diff([]string{"delete customresourcedefinitions widgets.example.com", "delete namespaces ns"}, last); diff != "" {
			t.Errorf("deleted last (-want +got):\n%s", diff)
		}
		if report.Applied != 7 || report.Deleted != 7 || len(report.Problems) > 0 {
			t.Errorf("report = %+v, want all of it done", report)
		}
	})
}

// Objects of a kind wait until all versions of their definition are served, whichever comes first
// in the event.
func TestRun_definitionAndObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		serveWidgets(target, 7*time.Second)
		report, start, err := replayed(t, target, Options{}, Plan{},
			event(t, 0, []string{widget, formerWidget, widgetDefinition, configMap("ns", "c")}, nil),
			event(t, 1, []string{widget, configMap("ns", "next")}, nil))
		if err != nil {
			t.Fatal(err)
		}
		if report.Applied != 6 || len(report.Problems) > 0 {
			t.Errorf("report = %+v, want all of it applied", report)
		}
		if got := target.sent["apply widgets ns/w"].Sub(start); got < 7*time.Second || got > 10*time.Second {
			t.Errorf("widget applied after %v, want soon after 7 s", got)
		}
		checkSent(t, target, "apply configmaps ns/next", start.Add(time.Second))
	})
}

// A definition whose kinds are never served is a problem, and so are its objects.
func TestRun_definitionNeverServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report, _, err := replayed(t, newFake(), Options{}, Plan{}, event(t, 0, []string{widget, widgetDefinition, configMap("ns", "c")}, nil))
		if err != nil {
			t.Fatal(err)
		}
		if report.Applied != 1 || report.ProblemCounts[UnknownKind] != 2 || !strings.Contains(report.Problems[0].Message, "not served") {
			t.Errorf("report = %+v, want the definition and its object to be problems", report)
		}
	})
}

// The deletion of an object is over before it is created again, in one event or two.
func TestRun_recreates(t *testing.T) {
	same, other := configMap("ns", "x"), "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: ns, name: x}, data: {a: b}}"
	for name, c := range map[string]struct {
		events []trace.Event
		want   []string
	}{
		"one event, applied as before": {
			[]trace.Event{event(t, 0, []string{same}, nil), event(t, 10, []string{same}, []string{same})},
			[]string{"apply", "delete", "gone", "apply"},
		},
		"one event, deleted later": {
			[]trace.Event{event(t, 0, []string{same}, nil), event(t, 10, []string{other}, []string{same}), event(t, 60, nil, []string{same})},
			[]string{"apply", "delete", "gone", "apply", "delete", "gone"},
		},
		"two events": {
			[]trace.Event{event(t, 0, []string{same}, nil), event(t, 10, nil, []string{same}), event(t, 11, []string{other}, nil)},
			[]string{"apply", "delete", "gone", "apply"},
		},
		"changed and deleted": {
			[]trace.Event{event(t, 0, []string{same}, nil), event(t, 10, []string{other}, []string{same})},
			[]string{"apply", "apply", "delete", "gone"},
		},
		"what cannot be changed was deleted first": {
			[]trace.Event{event(t, 0, []string{fixed("x", "1")}, nil), event(t, 10, []string{fixed("x", "2")}, []string{same})},
			[]string{"apply", "apply", "delete", "gone", "apply"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := newFake()
				target.lingers = 20 * time.Second
				applied, deleted := 0, 0
				for _, e := range c.events {
					applied, deleted = applied+len(e.Applied), deleted+len(e.Deleted)
				}
				report, _, err := replayed(t, target, Options{}, Plan{Orders: surveyed(c.events...), Settle: settleFor(time.Minute)}, c.events...)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, line := range target.lines("/x") {
					verb, _, _ := strings.Cut(line, " ")
					// While the former object is there, an apply changes it, and is repeated.
					if n := len(got); n < 2 || verb != "apply" || got[n-1] != "delete" {
						got = append(got, verb)
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("requests (-want +got):\n%s\n%v", diff, target.lines("/x"))
				}
				if report.Applied != applied || report.Deleted != deleted || len(report.Problems) > 0 || len(report.Replaced) > 0 {
					t.Errorf("report = %+v, want %d applied and %d deleted", report, applied, deleted)
				}
			})
		})
	}
}

// An object that was created and deleted within a second exists as long as it did in the recording.
func TestRun_livesWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		events := []trace.Event{
			event(t, 0, []string{configMap("ns", "c")}, nil),
			event(t, 2, []string{deployment("ns", "d"), configMap("ns", "other")}, []string{deployment("ns", "d")}),
		}
		extension := trace.Extension{EventTimes: [][]uint16{{0}, {100, 0, 900}}}
		data, err := extension.Encode()
		if err != nil {
			t.Fatal(err)
		}
		survey := order.NewSurvey()
		for i := range events {
			survey.Add(&events[i])
		}
		var told []EventReport
		opts := Options{Speed: 2, OnEvent: func(r EventReport) { told = append(told, r) }}
		_, start, err := replayed(t, target, opts, Plan{Orders: survey.Orders(&trace.Tail{Extension: data})}, events...)
		if err != nil {
			t.Fatal(err)
		}
		checkSent(t, target, "apply deployments ns/d", start.Add(time.Second))
		checkSent(t, target, "delete deployments ns/d", start.Add(time.Second+400*time.Millisecond))
		if got := maxLag(told); got > 0 {
			t.Errorf("lag = %v, want none", got)
		}
	})
}

// A namespace that is deleted and created again is gone before anything is created in it.
func TestRun_namespaceMadeAgain(t *testing.T) {
	content := []string{namespace("ns"), configMap("ns", "c"), podManifest("ns", "p")}
	for name, c := range map[string]struct {
		events []trace.Event
		// deleted is how many deletions count.
		deleted int
	}{
		"two events": {[]trace.Event{
			event(t, 0, content, nil), event(t, 10, nil, []string{namespace("ns")}), event(t, 11, content, nil),
		}, 1},
		"two events of a second": {[]trace.Event{
			event(t, 0, content, nil), event(t, 10, nil, []string{namespace("ns")}), event(t, 10, content, nil),
		}, 1},
		"one event": {[]trace.Event{
			event(t, 0, content, nil), event(t, 10, content, []string{namespace("ns")}), event(t, 60, []string{configMap("ns", "later")}, nil),
		}, 1},
		"one event, with its content": {[]trace.Event{
			event(t, 0, content, nil), event(t, 10, content, content), event(t, 60, []string{configMap("ns", "later")}, nil),
		}, 3},
		"its content is deleted late": {[]trace.Event{
			event(t, 0, content, nil), event(t, 10, nil, []string{namespace("ns")}),
			event(t, 31, nil, content[1:]), event(t, 32, content, nil),
		}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := newFake()
				target.lingers = 20 * time.Second
				report, start, err := replayed(t, target, Options{RescheduleInterruptedBarePods: true},
					Plan{Orders: surveyed(c.events...), Settle: settleFor(time.Minute)}, c.events...)
				if err != nil {
					t.Fatal(err)
				}
				if len(report.Problems) > 0 || report.Deleted != c.deleted || report.Clones > 0 {
					t.Errorf("report = %+v, want %d deletions and no problem", report, c.deleted)
				}
				lines := target.lines("")
				gone := slices.Index(lines, "gone namespaces ns")
				if gone < 0 {
					t.Fatalf("the namespace was not deleted: %v", lines)
				}
				for _, line := range []string{"apply namespaces ns", "apply configmaps ns/c", "apply pods ns/p"} {
					if !slices.Contains(lines[gone:], line) {
						t.Errorf("not after the end of the namespace: %s", line)
					}
				}
				if at := target.sent["gone namespaces ns"]; at.Sub(start) > 40*time.Second {
					t.Errorf("gone after %v", at.Sub(start))
				}
				polls := len(slices.DeleteFunc(lines[:gone], func(line string) bool { return line != "apply configmaps ns/c" }))
				if polls > 2 {
					t.Errorf("%d tries to apply in a namespace that is being deleted", polls)
				}
			})
		})
	}
}

// A namespace that is never gone is a problem, as is everything in it, and the run ends.
func TestRun_namespaceNeverGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.lingers = time.Hour
		content := []string{namespace("ns"), configMap("ns", "c")}
		report, start, err := replayed(t, target, Options{}, Plan{}, event(t, 0, content, nil), event(t, 10, nil, content[:1]), event(t, 11, content, nil))
		if err != nil {
			t.Fatal(err)
		}
		if report.ProblemCounts[Other] != 2 || !strings.Contains(report.Problems[0].Message, "is being deleted") {
			t.Errorf("report = %+v, want two problems about a deletion", report)
		}
		if took := time.Since(start); took > deletionTime+20*time.Second {
			t.Errorf("the run took %v", took)
		}
	})
}

// An object that cannot be changed is deleted and created again, as it was in the recording.
func TestRun_replaces(t *testing.T) {
	for name, refusal := range map[string]string{"known words": "field is immutable", "other words": "no"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := newFake()
				target.lingers, target.refusal = 3*time.Second, refusal
				report, _, err := replayed(t, target, Options{FailFast: true}, Plan{},
					event(t, 0, []string{fixed("x", "1")}, nil), event(t, 10, []string{fixed("x", "2")}, nil), event(t, 60, nil, []string{fixed("x", "2")}))
				if err != nil {
					t.Fatal(err)
				}
				kind := schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
				if report.Applied != 2 || report.Deleted != 1 || report.Replaced[kind] != 1 {
					t.Errorf("report = %+v, want one ConfigMap replaced", report)
				}
				want := []string{"apply", "apply", "delete", "gone", "apply", "delete"}
				var got []string
				for _, line := range target.lines("/x") {
					verb, _, _ := strings.Cut(line, " ")
					got = append(got, verb)
				}
				if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestRun_replaceIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.fail = func(verb string, at place) error {
			if verb == "delete" {
				return apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, at.name, errors.New("protected"))
			}
			return nil
		}
		report, _, err := replayed(t, target, Options{}, Plan{},
			event(t, 0, []string{fixed("x", "1")}, nil), event(t, 10, []string{fixed("x", "2")}, nil))
		if err != nil {
			t.Fatal(err)
		}
		if report.ProblemCounts[Immutable] != 1 || !strings.Contains(report.Problems[0].Message, "could not be deleted and created again") ||
			!strings.Contains(report.Problems[0].Message, "protected") {
			t.Errorf("report = %+v, want a problem that says both", report)
		}
	})
}

// An object that is refused whatever exists is rejected, and not replaced.
func TestRun_rejectedIsNotReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.fail = func(verb string, at place) error {
			if verb == "apply" && at.name == "x" {
				return apierrors.NewInvalid(schema.GroupKind{Kind: "ConfigMap"}, "x", nil)
			}
			return nil
		}
		report, _, err := replayed(t, target, Options{}, Plan{}, event(t, 0, []string{configMap("ns", "x")}, nil))
		if err != nil {
			t.Fatal(err)
		}
		if report.ProblemCounts[Rejected] != 1 || len(target.lines("delete")) > 0 {
			t.Errorf("report = %+v, want it rejected", report)
		}
	})
}
