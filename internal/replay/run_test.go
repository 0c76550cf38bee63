package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	"simkube.io/simkube/trace"
)

// replayed replays events on a fake target, starting in one second, and returns the report and the
// start.
func replayed(t *testing.T, target *fake, opts Options, plan Plan, events ...trace.Event) (Report, time.Time, error) {
	t.Helper()
	opts.Simulation = "sim"
	engine, err := newEngine(target, opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.CreateRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := time.Now().Add(time.Second)
	plan.Start, plan.Origin, plan.Events = start, origin, sequence(events)
	report, err := engine.Run(t.Context(), plan)
	return report, start, err
}

// settleFor returns a Settle that takes some time.
func settleFor(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error { return sleepUntil(ctx, clock.RealClock{}, time.Now().Add(d)) }
}

func checkSent(t *testing.T, target *fake, line string, want time.Time) {
	t.Helper()
	if got := target.sent[line]; !got.Equal(want) {
		t.Errorf("%s: sent %v late", line, got.Sub(want))
	}
}

// Slow requests delay no other event, at any speed.
func TestRun_deadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.takes = 700 * time.Millisecond
		var events []trace.Event
		for i := range 10 {
			events = append(events, event(t, int64(i), []string{configMap("ns", fmt.Sprint("c", i))}, nil))
		}
		var told []EventReport
		opts := Options{Speed: 3, OnEvent: func(r EventReport) { told = append(told, r) }}
		report, start, err := replayed(t, target, opts, Plan{}, events...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			checkSent(t, target, fmt.Sprint("apply configmaps ns/c", i), start.Add(time.Duration(float64(i)/3*1e9+0.5)))
		}
		for _, r := range told {
			if took := r.Done.Sub(r.Due); r.Lag != 0 || took != target.takes {
				t.Errorf("event %d was late by %v and done after %v, want no lag and %v", r.Index, r.Lag, took, target.takes)
			}
		}
		if report.Events != 10 || report.Applied != 10 || len(told) != 10 || !told[9].Due.Equal(start.Add(3*time.Second)) {
			t.Errorf("report = %+v, events %+v", report, told)
		}
	})
}

func TestRun_orderPerObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.takes = time.Second
		one, two := []string{configMap("ns", "one")}, []string{configMap("ns", "two")}
		var told []EventReport
		report, start, err := replayed(t, target, Options{OnEvent: func(r EventReport) { told = append(told, r) }}, Plan{},
			event(t, 0, one, nil), event(t, 0, one, two), event(t, 0, two, one), event(t, 0, one, nil))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"apply configmaps ns/one", "apply configmaps ns/one",
			"delete configmaps ns/one", "apply configmaps ns/one",
		}
		if diff := cmp.Diff(want, target.lines("/one")); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		// An object that was not created is not deleted, and needs no request that changes anything.
		checkSent(t, target, "apply configmaps ns/two", start)
		if maxLag(told) != 3*time.Second || report.ProblemCounts[AbsentOnDelete] != 1 {
			t.Errorf("report = %+v, want a lag of 3 s and one object absent", report)
		}
	})
}

// An object that waits for others of its event, and is deleted in it, does not wait for itself.
func TestRun_appliedAndDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		web := []string{deployment("ns", "web")}
		report, _, err := replayed(t, target, Options{}, Plan{}, event(t, 0, append(web, configMap("ns", "x")), web), event(t, 1, web, nil))
		if err != nil {
			t.Fatal(err)
		}
		if report.Events != 2 || report.Applied != 3 || report.Deleted != 1 {
			t.Errorf("report = %+v, want all of it done", report)
		}
	})
}

// Objects that create pods wait until the rest of the event was tried, not until it succeeds.
func TestRun_podsGoLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.takes = time.Second
		target.fail = func(_ string, at place) error {
			if at.name == "never" {
				return apierrors.NewServiceUnavailable("down")
			}
			return nil
		}
		report, start, err := replayed(t, target, Options{RetryFor: time.Minute}, Plan{},
			event(t, 0, []string{deployment("ns", "d"), configMap("ns", "c"), configMap("ns", "never")}, nil))
		if err != nil {
			t.Fatal(err)
		}
		checkSent(t, target, "apply configmaps ns/c", start)
		checkSent(t, target, "apply deployments ns/d", start.Add(time.Second))
		if report.Applied != 2 || report.ProblemCounts[Other] != 1 {
			t.Errorf("report = %+v, want 2 applied and one problem", report)
		}
		if tries := len(target.lines("/never")); tries < 10 || tries > 40 {
			t.Errorf("%d tries in a minute", tries)
		}
	})
}

func TestRun_concurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.takes = time.Second
		var manifests []string
		for i := range 50 {
			manifests = append(manifests, configMap("ns", fmt.Sprint("c", i)))
		}
		if _, _, err := replayed(t, target, Options{Concurrency: 7}, Plan{}, event(t, 0, manifests, nil)); err != nil {
			t.Fatal(err)
		}
		if target.maxBusy != 7 {
			t.Errorf("%d requests at a time, want 7", target.maxBusy)
		}
	})
}

func TestRun_namespacesAreMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.takes = 100 * time.Millisecond
		var manifests []string
		for i := range 20 {
			manifests = append(manifests, configMap(fmt.Sprint("ns", i%2), fmt.Sprint("c", i)))
		}
		if _, _, err := replayed(t, target, Options{}, Plan{}, event(t, 0, manifests, nil), event(t, 1, manifests, nil)); err != nil {
			t.Fatal(err)
		}
		got := target.lines("namespaces")
		slices.Sort(got)
		if diff := cmp.Diff([]string{"create namespaces ns0", "create namespaces ns1"}, got); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

// Recordings contain the priority classes of Kubernetes itself, which every cluster has.
func TestRun_systemPriorityClasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.served[schema.GroupVersionKind{Group: "scheduling.k8s.io", Version: "v1", Kind: "PriorityClass"}] = false
		class := func(name string) string {
			return "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: " + name + "}, value: 1}"
		}
		report, _, err := replayed(t, target, Options{}, Plan{},
			event(t, 0, []string{class("system-node-critical")}, nil), event(t, 1, []string{class("system-node-critical"), class("own")}, nil))
		if err != nil {
			t.Fatal(err)
		}
		if report.Events != 2 || report.Applied != 1 || len(report.Problems) > 0 {
			t.Errorf("got %d events, %d objects applied, problems %v; want 2, 1 and none", report.Events, report.Applied, report.Problems)
		}
	})
}

// In a trace with namespaces, they are created and deleted when they are due.
func TestRun_trackedNamespaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		space := []string{"{apiVersion: v1, kind: Namespace, metadata: {name: ns}}"}
		config := &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{{Version: "v1", Kind: "Namespace"}: {}}}
		report, start, err := replayed(t, target, Options{}, Plan{Config: config},
			event(t, 5, space, nil), event(t, 6, []string{configMap("ns", "c")}, nil), event(t, 7, nil, space),
			event(t, 8, []string{configMap("ns", "c")}, nil))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"apply namespaces ns", "delete namespaces ns", "create namespaces ns"}
		if diff := cmp.Diff(want, target.lines("namespaces")); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		checkSent(t, target, "apply namespaces ns", start.Add(5*time.Second))
		if len(report.Problems) > 0 {
			t.Errorf("problems: %v", report.Problems)
		}
	})
}

// A kind that the trace defines is waited for; other unknown kinds are not.
func TestRun_newKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		const definition = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, " +
			"spec: {group: example.com, names: {kind: Widget}, versions: [{name: v1, served: true}]}}"
		const widget = "{apiVersion: example.com/v1, kind: Widget, metadata: {namespace: ns, name: w}}"
		target.fail = func(_ string, at place) error {
			if at.name == "widgets.example.com" {
				time.AfterFunc(3*time.Second, func() {
					target.mu.Lock()
					defer target.mu.Unlock()
					target.served[schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"}] = true
				})
			}
			return nil
		}
		report, start, err := replayed(t, target, Options{}, Plan{},
			event(t, 0, []string{widget}, nil), event(t, 1, []string{definition}, nil), event(t, 2, []string{widget}, nil))
		if err != nil {
			t.Fatal(err)
		}
		if report.Applied != 2 || report.ProblemCounts[UnknownKind] != 1 {
			t.Errorf("report = %+v, want the first widget to be a problem", report)
		}
		if got := target.sent["apply widgets ns/w"].Sub(start); got < 4*time.Second || got > 7*time.Second {
			t.Errorf("widget applied after %v, want soon after 4 s", got)
		}
	})
}

func TestRun_duration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		var events []trace.Event
		for i := range 10 {
			events = append(events, event(t, int64(i), []string{configMap("ns", fmt.Sprint("c", i))}, nil))
		}
		report, start, err := replayed(t, target, Options{Speed: 2}, Plan{Duration: 5500 * time.Millisecond}, events...)
		if err != nil {
			t.Fatal(err)
		}
		if report.Applied != 6 {
			t.Errorf("applied = %d, want those of seconds 0 to 5", report.Applied)
		}
		if got := time.Since(start); got != 2750*time.Millisecond {
			t.Errorf("took %v, want the whole duration", got)
		}
	})
}

func TestRun_brokenTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		engine, err := newEngine(target, Options{Simulation: "sim"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.CreateRoot(t.Context()); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("broken")
		first := event(t, 3, []string{configMap("ns", "c")}, nil)
		report, err := engine.Run(t.Context(), Plan{Origin: origin, Events: func(yield func(*trace.Event, error) bool) {
			_ = yield(&first, nil) && yield(nil, broken)
		}})
		if !errors.Is(err, broken) || report.Applied != 1 {
			t.Errorf("Run() = %+v, %v; want one applied and the error", report, err)
		}
	})
}

// At an interrupt, requests under way are finished, no others are sent, and waiting work is
// dropped.
func TestRun_interrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.takes = time.Second
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("ctrl-c")
		target.fail = func(_ string, at place) error {
			if at.name == "retried" {
				return apierrors.NewServiceUnavailable("down")
			}
			return nil
		}
		var told []int
		engine, err := newEngine(target, Options{Simulation: "sim", OnEvent: func(r EventReport) { told = append(told, r.Index) }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.CreateRoot(t.Context()); err != nil {
			t.Fatal(err)
		}
		events := []trace.Event{
			event(t, 1, []string{configMap("ns", "quick")}, nil),
			event(t, 9, []string{configMap("ns", "retried"), configMap("ns", "slow"), deployment("ns", "gated")}, []string{configMap("ns", "slow")}),
			event(t, 20, []string{configMap("ns", "late")}, nil),
		}
		start := time.Now().Add(2 * time.Second)
		time.AfterFunc(2*time.Second+9500*time.Millisecond, func() { cancel(reason) })
		report, err := engine.Run(ctx, Plan{Start: start, Origin: origin, Events: sequence(events)})
		if !errors.Is(err, reason) {
			t.Errorf("Run() = %v, want %v", err, reason)
		}
		if got := time.Since(start); got != 10*time.Second {
			t.Errorf("returned after %v, want when the request under way was answered", got)
		}
		if report.Applied != 2 || report.Events != 1 || len(report.Problems) > 0 {
			t.Errorf("report = %+v, want 2 applied, 1 event and no problem", report)
		}
		if diff := cmp.Diff([]int{0}, told); diff != "" {
			t.Errorf("reported events (-want +got):\n%s", diff)
		}
		for _, name := range []string{"gated", "late", "delete configmaps ns/slow"} {
			if lines := target.lines(name); len(lines) > 0 {
				t.Errorf("requests after the interrupt: %v", lines)
			}
		}
		if err := engine.Cleanup(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if len(target.objects) > 0 {
			t.Errorf("left: %v", target.objects)
		}
	})
}

func TestEngine_withoutRoot(t *testing.T) {
	engine, err := newEngine(newFake(), Options{Simulation: "sim"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Run(t.Context(), Plan{}); err == nil {
		t.Error("Run without a root returns no error")
	}
}
