package replay

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// resumed continues a replay on a target where an earlier engine left its root.
func resumed(t *testing.T, target *fake, opts Options, plan Plan, events ...trace.Event) (Report, error) {
	t.Helper()
	opts.Simulation = "sim"
	engine, err := newEngine(target, opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, found, err := engine.AdoptRoot(t.Context()); err != nil || !found {
		t.Fatalf("AdoptRoot() = %t, %v", found, err)
	}
	target.log = nil
	plan.Origin, plan.Events = origin, sequence(events)
	return engine.Run(t.Context(), plan)
}

func TestRun_checkpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.fail = func(_ string, at place) error {
			if at.name == "slow" {
				time.Sleep(10 * time.Second)
			}
			return nil
		}
		var got []int
		opts := Options{OnCheckpoint: func(done int) { got = append(got, done) }}
		_, _, err := replayed(t, target, opts, Plan{},
			event(t, 0, []string{configMap("ns", "a")}, nil),
			event(t, 1, []string{configMap("ns", "slow"), configMap("ns", "b")}, nil),
			event(t, 2, []string{configMap("ns", "c")}, nil),
			event(t, 3, nil, nil),
			event(t, 20, []string{configMap("ns", "d")}, []string{configMap("ns", "never")}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int{1, 4, 5}, got); diff != "" {
			t.Errorf("checkpoints (-want +got):\n%s", diff)
		}
	})
}

// Events that were dropped by an interrupt are not done, nor are those after them.
func TestRun_checkpointsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		ctx, cancel := context.WithCancel(t.Context())
		target.fail = func(_ string, at place) error {
			if at.name == "retried" {
				return apierrors.NewServiceUnavailable("down")
			}
			return nil
		}
		var got []int
		engine, err := newEngine(target, Options{Simulation: "sim", OnCheckpoint: func(done int) { got = append(got, done) }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.CreateRoot(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(5*time.Second, cancel)
		report, err := engine.Run(ctx, Plan{Origin: origin, Events: sequence([]trace.Event{
			event(t, 0, []string{configMap("ns", "a")}, nil),
			event(t, 1, []string{configMap("ns", "retried"), configMap("ns", "b")}, nil),
			event(t, 2, []string{configMap("ns", "c")}, nil),
		})})
		if !errors.Is(err, context.Canceled) || report.Events != 2 {
			t.Errorf("Run() = %+v, %v; want two events, and it cancelled", report, err)
		}
		if diff := cmp.Diff([]int{1}, got); diff != "" {
			t.Errorf("checkpoints (-want +got):\n%s", diff)
		}
	})
}

func TestRun_done(t *testing.T) {
	events := []trace.Event{
		event(t, 0, []string{configMap("ns", "a")}, nil),
		event(t, 1, []string{configMap("ns", "b")}, nil),
		event(t, 60, []string{configMap("ns", "c")}, nil),
		event(t, 61, []string{configMap("ns", "d")}, nil),
	}
	for name, c := range map[string]struct {
		done        int
		sent        []string
		indexes     []int
		checkpoints []int
		problem     string
	}{
		"none":    {0, []string{"a", "b", "c", "d"}, []int{0, 1, 2, 3}, []int{1, 2, 3, 4}, ""},
		"some":    {2, []string{"c", "d"}, []int{2, 3}, []int{3, 4}, ""},
		"all":     {4, nil, nil, nil, ""},
		"no such": {5, nil, nil, nil, "5 steps of the replay were done before, and it has 4"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := newFake()
				if _, _, err := replayed(t, target, Options{}, Plan{}); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				var indexes, checkpoints []int
				report, err := resumed(t, target, Options{
					OnEvent:      func(r EventReport) { indexes = append(indexes, r.Index) },
					OnCheckpoint: func(done int) { checkpoints = append(checkpoints, done) },
				}, Plan{Done: c.done, Start: start}, events...)
				if c.problem != "" {
					if err == nil || !strings.Contains(err.Error(), c.problem) {
						t.Errorf("Run() = %v, want %q", err, c.problem)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				var sent []string
				for _, line := range target.lines("apply configmaps ns/") {
					sent = append(sent, line[len("apply configmaps ns/"):])
				}
				slices.Sort(sent)
				if !slices.Equal(sent, c.sent) || !slices.Equal(indexes, c.indexes) || !slices.Equal(checkpoints, c.checkpoints) {
					t.Errorf("sent %v, events %v, checkpoints %v; want %v, %v, %v", sent, indexes, checkpoints, c.sent, c.indexes, c.checkpoints)
				}
				if report.Events != len(c.indexes) || report.Applied != len(c.sent) {
					t.Errorf("report = %+v, want what this run did", report)
				}
				if len(c.sent) > 0 {
					checkSent(t, target, "apply configmaps ns/d", start.Add(61*time.Second))
				}
			})
		})
	}
}

// A broken trace is noticed while done events are skipped. Skipping ends with the context.
func TestRun_doneBroken(t *testing.T) {
	broken := errors.New("broken")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		want error
	}{
		"broken":    {t.Context(), broken},
		"cancelled": {cancelled, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			engine, err := newEngine(newFake(), Options{Simulation: "sim"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := engine.CreateRoot(t.Context()); err != nil {
				t.Fatal(err)
			}
			first := event(t, 0, nil, nil)
			_, err = engine.Run(c.ctx, Plan{Done: 2, Origin: origin, Events: func(yield func(*trace.Event, error) bool) {
				_ = yield(&first, nil) && yield(nil, broken)
			}})
			if !errors.Is(err, c.want) {
				t.Errorf("Run() = %v, want %v", err, c.want)
			}
		})
	}
}

// Bare pods are continued as they are found: running, interrupted, finished, deleted, or replaced
// by clones.
func TestRun_resumesBarePods(t *testing.T) {
	pod := []string{podManifest("ns", "p")}
	succeeded := corev1.PodStatus{Phase: corev1.PodSucceeded}
	clone := func(f *fake, name string) {
		original := f.objects[podAt("p")]
		object := original.DeepCopy()
		object.UID, object.Name = "uid-of-"+original.UID, name
		object.Annotations[simkubev1.AnnotationOriginalOwner] = "ns/p"
		f.objects[podAt(name)] = object
	}
	for name, c := range map[string]struct {
		between func(f *fake)
		during  func(f *fake)
		then    trace.Event
		clones  []string
		deleted []string
	}{
		"running":               {},
		"interrupted later":     {during: func(f *fake) { f.vanish("p") }, clones: []string{"p-clone-1"}},
		"interrupted meanwhile": {between: func(f *fake) { f.status[podAt("p")] = evicted }, clones: []string{"p-clone-1"}},
		"gone meanwhile":        {between: func(f *fake) { f.vanish("p") }, clones: []string{"p-clone-1"}},
		"finished meanwhile":    {between: func(f *fake) { f.status[podAt("p")] = succeeded }, during: func(f *fake) { f.vanish("p") }},
		"clone runs": {between: func(f *fake) {
			clone(f, "p-clone-3")
			f.status[podAt("p")] = evicted
		}},
		"clone alone runs": {between: func(f *fake) {
			clone(f, "p-clone-3")
			f.vanish("p")
		}},
		"clone interrupted later": {between: func(f *fake) {
			clone(f, "p-clone-3")
			f.vanish("p")
		}, during: func(f *fake) { f.vanish("p-clone-3") }, clones: []string{"p-clone-4"}},
		"last clone interrupted meanwhile": {between: func(f *fake) {
			clone(f, "p-clone-9")
			clone(f, "p-clone-10")
			for _, name := range []string{"p", "p-clone-9", "p-clone-10"} {
				f.status[podAt(name)] = evicted
			}
		}, clones: []string{"p-clone-11"}},
		"last clone finished": {between: func(f *fake) {
			clone(f, "p-clone-1")
			f.status[podAt("p")], f.status[podAt("p-clone-1")] = evicted, succeeded
		}},
		"deleted by the trace": {between: func(f *fake) {
			clone(f, "p-clone-3")
			f.vanish("p")
		}, then: event(t, 200, nil, pod), deleted: []string{"delete pods ns/p-clone-3"}},
		"recorded again": {then: event(t, 200, pod, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := newFake()
				opts := Options{RescheduleInterruptedBarePods: true}
				// The deleted pod is not looked for.
				events := []trace.Event{event(t, 0, append(pod[:1:1], podManifest("ns", "q")), nil), event(t, 1, nil, []string{podManifest("ns", "q")})}
				if _, _, err := replayed(t, target, opts, Plan{}, events...); err != nil {
					t.Fatal(err)
				}
				if c.between != nil {
					target.watcher = nil
					c.between(target)
				}
				if c.during != nil {
					time.AfterFunc(100*time.Second, func() { c.during(target) })
				}
				if c.then.Time > 0 {
					events = append(events, c.then)
				}
				report, err := resumed(t, target, opts, Plan{Done: 2, Settle: settleFor(300 * time.Second)}, events...)
				if err != nil || len(report.Problems) > 0 {
					t.Fatalf("Run() = %+v, %v", report, err)
				}
				checkCreated(t, target, c.clones...)
				if got := target.lines("delete"); !slices.Equal(got, c.deleted) {
					t.Errorf("deleted %v, want %v", got, c.deleted)
				}
				if got := target.lines("apply"); len(got) > 0 {
					t.Errorf("applied %v, want nothing: it was", got)
				}
			})
		})
	}
}

// The pods of a namespace that the trace deleted are gone.
func TestRun_resumesWithoutNamespace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		opts := Options{RescheduleInterruptedBarePods: true}
		space := []string{"{apiVersion: v1, kind: Namespace, metadata: {name: ns}}"}
		events := []trace.Event{
			event(t, 0, []string{podManifest("ns", "p"), podManifest("other", "p")}, nil),
			event(t, 1, nil, space),
			event(t, 2, []string{configMap("ns", "c")}, nil),
		}
		if _, _, err := replayed(t, target, opts, Plan{}, events...); err != nil {
			t.Fatal(err)
		}
		delete(target.objects, place{resource: podResource(), namespace: "other", name: "p"})
		if _, err := resumed(t, target, opts, Plan{Done: 3}, events...); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"create pods other/p-clone-1"}, target.lines("pods")); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

// Events that an earlier run may have started may be done.
func TestRun_inDoubt(t *testing.T) {
	gone, pod := []string{configMap("ns", "gone")}, []string{podManifest("ns", "p")}
	later := []string{strings.Replace(podManifest("ns", "p"), "image: x", "image: y", 1)}
	events := []trace.Event{
		event(t, 0, []string{configMap("ns", "a")}, nil),
		event(t, 1, pod, gone),
		event(t, 100, later, gone),
	}
	run := func(t *testing.T, adopt bool) (*fake, Report) {
		t.Helper()
		target := newFake()
		if _, _, err := replayed(t, target, Options{Shared: true}, Plan{}, events[0], event(t, 1, pod, nil)); err != nil {
			t.Fatal(err)
		}
		if !adopt {
			report, _, err := replayed(t, target, Options{Shared: true}, Plan{}, events...)
			if err != nil {
				t.Fatal(err)
			}
			return target, report
		}
		report, err := resumed(t, target, Options{Shared: true}, Plan{Done: 1}, events...)
		if err != nil {
			t.Fatal(err)
		}
		return target, report
	}
	synctest.Test(t, func(t *testing.T) {
		target, report := run(t, true)
		if report.ProblemCounts[AbsentOnDelete] != 1 || report.Problems[0].Event != 2 || report.Deleted != 1 {
			t.Errorf("report = %+v, want only the later deletion to be a problem", report)
		}
		if got := target.bodies[place{resource: podResource(), namespace: "virtual-ns", name: "p"}]; len(got) != 2+1 || strings.Contains(got[0], simkubev1.TaintKwokProvider) ||
			!strings.Contains(got[1], simkubev1.TaintKwokProvider) || !strings.Contains(got[2], simkubev1.TaintKwokProvider) {
			t.Errorf("applied %q, want the toleration of what exists not taken back", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		if _, report := run(t, false); report.ProblemCounts[AbsentOnDelete] != 2 {
			t.Errorf("report = %+v, want both deletions to be problems of a run that begins anew", report)
		}
	})
}

func TestAdoptRoot(t *testing.T) {
	now := metav1.Now()
	for name, c := range map[string]struct {
		root  *metav1.PartialObjectMetadata
		found bool
	}{
		"none":  {nil, false},
		"there": {&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "mine", UID: "u"}}, true},
		"going": {&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "mine", UID: "u", DeletionTimestamp: &now}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			target := newFake()
			engine, err := newEngine(target, Options{Simulation: "sim", RootName: "mine"})
			if err != nil {
				t.Fatal(err)
			}
			if c.root != nil {
				target.objects[place{resource: rootResource(), name: "mine"}] = c.root
			}
			root, found, err := engine.AdoptRoot(t.Context())
			if err != nil || found != c.found || found && (root.Name != "mine" || root.UID != "u") {
				t.Errorf("AdoptRoot() = %v, %t, %v; want found %t", root, found, err, c.found)
			}
			if _, err := engine.Run(t.Context(), Plan{Events: sequence(nil)}); (err == nil) != c.found {
				t.Errorf("Run() = %v", err)
			}
			if len(target.log) > 0 {
				t.Errorf("requests: %v, want none that change anything", target.log)
			}
		})
	}
}
