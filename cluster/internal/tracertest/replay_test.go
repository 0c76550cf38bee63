package tracertest

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/trace"
)

// hoursVariable is how many hours of the example day are replayed in virtual time.
const hoursVariable = "SIMKUBE_TEST_HOURS"

// TestReplay records a replay, replays the recording, and checks that the second recording has the
// same objects at the same times, and that the recorded lifecycles are those of KWOK. In virtual
// time it replays hours of the example day, on the wall clock the first steps at a slightly higher
// speed.
func TestReplay(t *testing.T) {
	spec := simulation.Spec{Name: "first", Trace: example("first-steps"), Time: simulation.Real, Speed: 20}
	if virtualtime.Enabled {
		hours := cmp.Or(os.Getenv(hoursVariable), "1")
		duration, err := time.ParseDuration(hours + "h")
		if err != nil {
			t.Fatal(err)
		}
		spec.Trace, spec.Time, spec.Speed, spec.Duration = example("day"), simulation.Virtual, 1, duration
	}
	original := readConfig(t, spec.Trace)
	// Everything simulated is owned by the simulation's root, so objects must not be skipped for
	// having an owner.
	config, all := withLifecycles(original, false), withLifecycles(original, true)
	recorder, lives := record(t, config, nil), record(t, all, nil)

	first := simulate(t, spec)
	one := recorder.export(t, first.start, first.end, simulated())
	compareLifecycles(t, first, lives.export(t, first.start, first.end, simulated()))
	compareOriginal(t, spec, first, one)

	again := spec
	again.Name, again.Speed, again.Duration, again.Trace = "second", 1, 0, filepath.Join(t.TempDir(), "one.sktrace")
	if err := one.WriteFile(again.Trace); err != nil {
		t.Fatal(err)
	}
	// The second run has the nodes of the first. It begins half a day later, when the same CronJobs
	// are due: to wait for that would take minutes even in virtual time, so the clock is set. A watch
	// that is open then has received nothing for half a day, and what it begins after is gone: it
	// would be in a gap while it lists again, so a new recording is begun.
	recorder.stop(t)
	lives.stop(t)
	again.Nodes.Count = first.Summary.Outcome.Nodes.Count
	if virtualtime.Enabled {
		virtualtime.Set(first.start.Add(12*time.Hour - time.Minute))
	}
	recorder = record(t, config, nil)
	second := simulate(t, again)
	two := recorder.export(t, second.start, second.end, simulated())
	// The second recording ends with the last event of the first: what is recorded in that second is
	// left out of both.
	limit := int64(second.end.Sub(second.start).Seconds()) - 1
	compareHistories(t, before(histories(t, one, first.start), limit), before(histories(t, two, second.start), limit))
	comparePods(t, first, second)
}

func example(name string) string { return filepath.Join("..", "..", "..", "examples", name+".sktrace") }

// simulated returns filters that exclude what was in the cluster before.
func simulated() simkubev1.ExportFilters {
	return simkubev1.ExportFilters{IncludedLabels: []metav1.LabelSelector{{MatchLabels: map[string]string{simkubev1.LabelVirtual: "true"}}}}
}

func readConfig(t *testing.T, path string) *trace.Config {
	t.Helper()
	f, err := trace.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.Config()
}

func withLifecycles(original *trace.Config, all bool) *trace.Config {
	config := &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{}}
	for gvk, tracked := range original.TrackedObjects {
		tracked.SkipOwned = false
		tracked.TrackLifecycle = tracked.TrackLifecycle || all && trace.KnownKind(gvk)
		config.TrackedObjects[gvk] = tracked
	}
	return config
}

// run is a simulation that has ended: its interval, up to its clean-up, and its results.
type run struct {
	start, end time.Time
	// traceStart is the time of the first event in the trace.
	traceStart time.Time
	speed      float64
	*results.Run
}

// clock converts a time in the trace to one on the clock.
func (r *run) clock(t time.Time) time.Time {
	return r.start.Add(time.Duration(float64(t.Sub(r.traceStart)) / r.speed))
}

func simulate(t *testing.T, spec simulation.Spec) *run {
	t.Helper()
	spec.Output = filepath.Join(t.TempDir(), spec.Name)
	spec.KubeAPIQPS = -1
	prepared, err := simulation.Prepare(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	began := virtualtime.Real()
	_, err = prepared.Run(t.Context(), simulation.Runner{
		Cluster: simulation.Cluster{Config: env.plane.RESTConfig(), SetMutator: env.mutator.Store, Done: env.plane.Done(), Err: env.plane.Err, RetryPods: env.plane.RetryPods},
		Clock:   clock.RealClock{},
		Log:     slog.New(slog.DiscardHandler),
		Report:  func(simulation.Message) {},
		Wall:    func() time.Duration { return virtualtime.Real() - began },
	})
	env.mutator.Store(nil)
	// A simulation does not delete its nodes.
	if err := env.client.CoreV1().Nodes().DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatalf("simulate %s: %v", spec.Name, err)
	}
	found, err := results.Read(spec.Output)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("simulated %s in %s", spec.Name, (virtualtime.Real() - began).Round(time.Millisecond))
	info := found.Summary.Run
	return &run{
		Run: found, start: info.ClockStart, traceStart: info.WindowStart, speed: info.Speed,
		end: info.ClockStart.Add(time.Duration(info.ClockSeconds * float64(time.Second))),
	}
}

// comparePods checks that each owner had as many pods in the second run as in the first, and, in
// virtual time, that those that ended ran as long. On the wall clock that depends on how long the
// machine takes for a rollout. What the first run observed in its last second may be missing in the
// recording. A recorded time is a whole second, for the event that starts a pod and for the one
// that ends it, and a rollout takes some time between the two.
func comparePods(t *testing.T, first, second *run) {
	t.Helper()
	limit := second.end.Sub(second.start) - time.Second
	lengths := func(r *run) map[string][]time.Duration {
		all := map[string][]time.Duration{}
		for _, pod := range r.Pods {
			if pod.Running.IsZero() || r.clock(pod.Running).Sub(r.start) >= limit {
				continue
			}
			end := r.start.Add(limit)
			for _, at := range []time.Time{pod.Deleted, pod.Finished} {
				if !at.IsZero() && r.clock(at).Before(end) {
					end = r.clock(at)
				}
			}
			owner := pod.OwnerKind + " " + stripped(pod.OriginalNamespace+"/"+pod.OwnerName)
			all[owner] = append(all[owner], end.Sub(r.clock(pod.Running)))
		}
		for _, list := range all {
			slices.Sort(list)
		}
		return all
	}
	one, two := lengths(first), lengths(second)
	if len(one) == 0 {
		t.Fatal("no pods ran: nothing was compared")
	}
	for _, owner := range slices.Sorted(maps.Keys(one)) {
		if len(one[owner]) != len(two[owner]) {
			t.Errorf("%s: %d pods ran, and %d when the recording was replayed", owner, len(one[owner]), len(two[owner]))
			continue
		}
		for i, length := range one[owner] {
			if got := two[owner][i]; virtualtime.Enabled && (got-length).Abs() > 3*time.Second {
				t.Errorf("%s: a pod ran %v, and %v when the recording was replayed", owner, length, got)
			}
		}
		delete(two, owner)
	}
	for _, owner := range slices.Sorted(maps.Keys(two)) {
		t.Errorf("%s: %d pods ran only when the recording was replayed", owner, len(two[owner]))
	}
}

// compareLifecycles compares every recorded lifecycle with the simulation's own observations of the
// pods.
func compareLifecycles(t *testing.T, r *run, recorded *trace.Trace) {
	t.Helper()
	got := map[string][]trace.Lifecycle{}
	for owner, byHash := range recorded.Lifecycles {
		for _, list := range byHash {
			got[owner.GVK.Kind+" "+stripped(owner.Name)] = append(got[owner.GVK.Kind+" "+stripped(owner.Name)], list...)
		}
	}
	want := map[string][]trace.Lifecycle{}
	pods := 0
	for _, pod := range r.Pods {
		if pod.Running.IsZero() || !r.clock(pod.Running).Before(r.end.Truncate(time.Second)) {
			continue
		}
		pods++
		l := trace.Lifecycle{State: trace.Running, Start: r.clock(pod.Running).Unix()}
		for _, end := range []time.Time{pod.Deleted, pod.Finished} {
			if !end.IsZero() {
				l.State, l.End = trace.Finished, r.clock(end).Unix()
			}
		}
		key := pod.OwnerKind + " " + pod.OriginalNamespace + "/" + pod.OwnerName
		want[key] = append(want[key], l)
	}
	if pods == 0 {
		t.Fatal("no pods ran: nothing was compared")
	}
	ending := r.end.Unix() - 1
	t.Logf("compared the lifecycles of %d pods of %d owners", pods, len(want))
	for _, key := range slices.Sorted(maps.Keys(want)) {
		// Sorted, to report differences in order.
		w, g := sortedLifecycles(want[key]), sortedLifecycles(got[key])
		if len(w) != len(g) {
			t.Errorf("%s: %d lifecycles are recorded, %d pods ran", key, len(g), len(w))
			continue
		}
		for _, l := range w {
			i := slices.IndexFunc(g, func(r trace.Lifecycle) bool { return sameLife(l, r, ending) })
			if i < 0 {
				t.Errorf("%s: none of the recorded lifecycles %+v is that of a pod that was %+v", key, g, l)
				continue
			}
			g = slices.Delete(g, i, i+1)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if want[key] == nil {
			t.Errorf("%s: %d lifecycles are recorded, no pod ran", key, len(got[key]))
		}
	}
}

// sameLife reports whether two lifecycles are equal to the second. One that ended in the last
// second may have been recorded as running, and vice versa.
func sameLife(a, b trace.Lifecycle, ending int64) bool {
	if !near(a.Start, b.Start) {
		return false
	}
	late := func(l trace.Lifecycle) bool { return l.State == trace.Running || l.End >= ending }
	return late(a) && late(b) || a.State == b.State && near(a.End, b.End)
}

func near(a, b int64) bool { return a-b <= 1 && b-a <= 1 }

func sortedLifecycles(list []trace.Lifecycle) []trace.Lifecycle {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b trace.Lifecycle) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	return sorted
}

// stripped removes the prefixes of simulations from a namespaced name.
func stripped(name string) string {
	for {
		rest, ok := strings.CutPrefix(name, "virtual-")
		if !ok {
			return name
		}
		name = rest
	}
}

// change is a change of an object at a time.
type change struct {
	// At is in seconds since the beginning.
	At      int64
	Deleted bool
	Object  any
}

// histories returns the changes of each object, without the parts that are specific to a cluster or
// a simulation. Several changes in a second count as one: their number depends on where the seconds
// begin.
func histories(t *testing.T, recorded *trace.Trace, start time.Time) map[string][]change {
	t.Helper()
	all := map[string][]change{}
	add := func(at int64, object *trace.Object, deleted bool) {
		key := trace.FormatGVK(object.GVK()) + " " + stripped(object.NamespacedName())
		h := change{At: at - start.Unix(), Deleted: deleted}
		if !deleted {
			u, err := object.Unstructured()
			if err != nil {
				t.Fatal(err)
			}
			h.Object = neutral(u.Object)
		}
		if list := all[key]; len(list) > 0 {
			last := &list[len(list)-1]
			if sameSecond(*last, h) || binds(*last, h) {
				last.Object = h.Object
				return
			}
			if !h.Deleted && !last.Deleted && gocmp.Equal(last.Object, h.Object) {
				return // what a controller changed is left out of both
			}
		}
		all[key] = append(all[key], h)
	}
	for i := range recorded.Events {
		e := &recorded.Events[i]
		for j := range e.Applied {
			add(e.Time, &e.Applied[j], false)
		}
		for j := range e.Deleted {
			add(e.Time, &e.Deleted[j], true)
		}
	}
	return all
}

// sameSecond reports whether an object was changed again within the same second.
func sameSecond(before, after change) bool {
	return before.At == after.At && !before.Deleted && !after.Deleted
}

// binds reports whether a change is the binding of a pod right after its creation. If both happen
// within a second of the clock, they are one change of a recording, and otherwise two.
func binds(made, bound change) bool {
	return made.Object != nil && onNode(made) == "" && onNode(bound) != "" && near(made.At, bound.At)
}

// onNode returns a pod's node, or "" if it has none or is not a pod.
func onNode(h change) string {
	object, _ := h.Object.(map[string]any)
	if object["kind"] != "Pod" {
		return ""
	}
	name, _, _ := unstructured.NestedString(object, "spec", "nodeName")
	return name
}

// before returns the changes before a number of seconds since the beginning.
func before(all map[string][]change, limit int64) map[string][]change {
	for key, list := range all {
		list = slices.DeleteFunc(list, func(h change) bool { return h.At >= limit })
		if all[key] = list; len(list) == 0 {
			delete(all, key)
		}
	}
	return all
}

// neutral removes the parts of a manifest that every simulation, and every API server, sets again.
func neutral(object map[string]any) map[string]any {
	var clean func(value any)
	clean = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			for _, field := range []string{"labels", "annotations", "matchLabels"} {
				entries, _ := value[field].(map[string]any)
				for key := range entries {
					if strings.Contains(key, "simkube.io/") || strings.HasPrefix(key, "deployment.kubernetes.io/") ||
						strings.Contains(key, "controller-uid") || key == "job-name" || strings.HasSuffix(key, "/job-name") {
						delete(entries, key)
					}
				}
				if value[field] != nil && len(entries) == 0 {
					delete(value, field) // as before a controller added the first one
				}
			}
			for _, inner := range value {
				clean(inner)
			}
		case []any:
			for _, inner := range value {
				clean(inner)
			}
		}
	}
	clean(object)
	metadata := object["metadata"].(map[string]any)
	delete(metadata, "namespace")
	if labels, ok := metadata["labels"].(map[string]any); ok && object["kind"] == "Pod" {
		// These depend on the node that the scheduler chose.
		delete(labels, corev1.LabelTopologyZone)
		delete(labels, corev1.LabelTopologyRegion)
	}
	if spec, ok := object["spec"].(map[string]any); ok {
		for _, field := range []string{"clusterIP", "clusterIPs"} {
			delete(spec, field)
		}
	}
	return object
}

// compareHistories compares two recordings object by object.
func compareHistories(t *testing.T, one, two map[string][]change) {
	t.Helper()
	changes := 0
	for _, key := range slices.Sorted(maps.Keys(one)) {
		a, b := one[key], two[key]
		if len(a) != len(b) {
			t.Errorf("%s: %d changes, then %d: %v, %v", key, len(a), len(b), times(a), times(b))
			continue
		}
		changes += len(a)
		for i := range a {
			if !near(a[i].At, b[i].At) {
				t.Errorf("%s: change %d was %d s after the beginning, then %d s", key, i, a[i].At, b[i].At)
			}
			if diff := gocmp.Diff(a[i].Object, b[i].Object); diff != "" || a[i].Deleted != b[i].Deleted {
				t.Errorf("%s: change %d: deleted: %t, then %t; %s", key, i, a[i].Deleted, b[i].Deleted, diff)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(two)) {
		if one[key] == nil {
			t.Errorf("%s is only in the second recording", key)
		}
	}
	if changes == 0 {
		t.Fatal("nothing was compared")
	}
	t.Logf("compared %d changes of %d objects", changes, len(one))
}

func times(h []change) string {
	var out []string
	for _, e := range h {
		out = append(out, fmt.Sprintf("%d %t", e.At, e.Deleted))
	}
	return strings.Join(out, ", ")
}

// compareOriginal compares the recording with the replayed trace: each of its objects must be
// recorded when it was due.
func compareOriginal(t *testing.T, spec simulation.Spec, r *run, recorded *trace.Trace) {
	t.Helper()
	got := histories(t, recorded, r.start)
	original, err := trace.ReadFile(spec.Trace)
	if err != nil {
		t.Fatal(err)
	}
	want := histories(t, original, time.Unix(original.Events[0].Time, 0))
	length := int64(r.end.Sub(r.start).Seconds()) - 1
	compared := 0
	for _, key := range slices.Sorted(maps.Keys(want)) {
		w := want[key]
		for i := range w {
			w[i].At = int64(float64(w[i].At) / spec.Speed)
		}
		w = slices.DeleteFunc(w, func(h change) bool { return h.At >= length })
		g := got[key]
		if len(g) < len(w) {
			t.Errorf("%s: %d changes were replayed (%s), %d recorded (%s)", key, len(w), times(w), len(g), times(g))
			continue
		}
		for i := range w {
			compared++
			if !near(w[i].At, g[i].At) || w[i].Deleted != g[i].Deleted {
				t.Errorf("%s: change %d was due after %d s (deleted: %t), and recorded after %d s (deleted: %t)",
					key, i, w[i].At, w[i].Deleted, g[i].At, g[i].Deleted)
			}
		}
	}
	if compared == 0 {
		t.Fatal("nothing was compared with the original")
	}
}
