package test

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/skcluster"
	"simkube.io/simkube/trace"
)

const (
	weekNodes = 50
	// The Deployments and the pods of each. One of them is changed every hour, in turn.
	weekDeployments, weekPods, weekMorePods = 20, 10, 15
	// maxLogs is the maximum number of files, of 64 MB each, of etcd's write-ahead log: it keeps five,
	// and checks every half minute.
	maxLogs = 6
)

// TestHours is BenchmarkWeek for six hours.
func TestHours(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute, six hours of virtual time")
	}
	long := simulateLong(t, 6*time.Hour)
	if got, want := long.runs["shop/beat"], 36; got != want {
		t.Errorf("the CronJob ran %d times, want %d", got, want)
	}
	long.table(t, time.Hour)
	// What the first hour fills (caches, the histories of Deployments and CronJobs, an hour's events)
	// is full in the second. Six hours are too few to detect a leak of less than a multiple.
	long.steady(t, time.Hour, 1, 5, 2)
}

// BenchmarkWeek simulates a week of virtual time, in which nothing may expire, get lost or grow.
func BenchmarkWeek(b *testing.B) {
	const days = 7
	for b.Loop() {
		began := time.Now()
		long := simulateLong(b, days*24*time.Hour)
		b.ReportMetric(time.Since(began).Seconds(), "s-total")
		b.ReportMetric(long.run.Summary.Run.ClockSeconds/long.run.Summary.Run.WallSeconds, "virtual-s/s")
		// 6 an hour for 168 hours. The CronJob is created in a second of its schedule, so the run of that
		// second is not due. The one at the end of the week is, because the trace continues for a minute.
		if got, want := long.runs["shop/beat"], days*24*6; got != want {
			b.Errorf("the CronJob ran %d times, want %d", got, want)
		}
		long.table(b, 24*time.Hour)
		second, last := long.steady(b, 24*time.Hour, 1, days-1, 1.25)
		b.ReportMetric(second.memory, "MB-day2")
		b.ReportMetric(last.memory, "MB-day7")
		b.ReportMetric(second.store, "store-MB-day2")
		b.ReportMetric(last.store, "store-MB-day7")
		b.ReportMetric(last.logs, "wal-files-day7")
	}
}

// long is a long simulation that has passed its checks.
type long struct {
	run    *results.Run
	runs   map[string]int // of each CronJob
	vitals *vitals
}

// table logs what the simulation used, by parts of the trace.
func (l *long) table(tb testing.TB, stretch time.Duration) {
	tb.Helper()
	for from := time.Duration(0); ; from += stretch {
		m, err := l.vitals.median(from, from+stretch)
		if err != nil {
			return
		}
		tb.Logf("from %s: %.0f MB of memory (heap %.0f MB), store %.1f MB, %.0f files of write-ahead log", from, m.memory, m.heap, m.store, m.logs)
	}
}

// steady compares two parts of the trace, and fails if the later one uses more by this factor.
func (l *long) steady(tb testing.TB, stretch time.Duration, early, late int, factor float64) (before, after vital) {
	tb.Helper()
	before, err := l.vitals.median(time.Duration(early)*stretch, time.Duration(early+1)*stretch)
	if err != nil {
		tb.Fatal(err)
	}
	after, err = l.vitals.median(time.Duration(late)*stretch, time.Duration(late+1)*stretch)
	if err != nil {
		tb.Fatal(err)
	}
	for _, m := range []struct {
		what          string
		before, after float64
	}{
		{"MB of memory", before.memory, after.memory},
		{"MB of heap", before.heap, after.heap},
		{"MB of store", before.store, after.store},
	} {
		if m.after > factor*m.before {
			tb.Errorf("%s grew from %.1f to %.1f, more than %g times, between %s and %s", m.what, m.before, m.after, factor, before.at, after.at)
		}
	}
	if after.logs > maxLogs {
		tb.Errorf("etcd's write-ahead log has %.0f files, more than %d", after.logs, maxLogs)
	}
	return before, after
}

// simulateLong simulates a steady trace of a given length, and checks everything that does not
// depend on the length.
func simulateLong(tb testing.TB, length time.Duration) *long {
	tb.Helper()
	plan := weekTrace(tb, length)
	file := filepath.Join(tb.TempDir(), "week.sktrace")
	if err := plan.trace.WriteFile(file); err != nil {
		tb.Fatal(err)
	}
	opts := skcluster.Options{
		Path: binary(tb, "sk-cluster-virtual"),
		Spec: simulation.Spec{
			Name:            "week",
			Trace:           file,
			Output:          filepath.Join(tb.TempDir(), "results"),
			Time:            simulation.Virtual,
			Nodes:           nodes.Spec{Count: weekNodes},
			NamespacePrefix: "virtual",
			Verbosity:       logVerbosity,
		},
	}
	v := follow(tb, &opts)
	done, err := skcluster.Simulate(tb.Context(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	if v.err != nil {
		tb.Fatal(v.err)
	}
	run, err := results.Read(done.Output)
	if err != nil {
		tb.Fatal(err)
	}
	if n := run.Summary.Outcome.Problems.Total; n > 0 {
		tb.Errorf("%d problems: %+v", n, run.Summary.Outcome.Problems.First)
	}
	if n := run.Timeline[len(run.Timeline)-1].NodesReady; n != weekNodes {
		tb.Errorf("nodes that are ready in the end: got %d, want %d", n, weekNodes)
	}
	// There is always room, and nothing takes time: a pod that starts late was noticed late.
	if late := max(run.Summary.Timing.Pending.Max, run.Summary.Timing.Start.Max); late > 5 {
		tb.Errorf("a pod took %g s to be scheduled or to start", late)
	}
	plan.check(tb, run)
	checkLog(tb, v.log, run.Summary.Run.WindowStart.Add(time.Second), run.Summary.Run.WindowEnd)
	return &long{run: run, runs: checkCronRuns(tb, file, run), vitals: v}
}

// weekPlan is a trace and its expected results.
type weekPlan struct {
	trace *trace.Trace
	// created and left are the numbers of pods of each Deployment: in total and at the end.
	created, left map[string]int
}

// weekTrace returns a trace with a CronJob that runs every ten minutes, Deployments of which one is
// scaled or rolled out every hour, and some CronJobs that change in the first hours.
func weekTrace(tb testing.TB, length time.Duration) *weekPlan {
	tb.Helper()
	plan := &weekPlan{created: map[string]int{}, left: map[string]int{}}
	versions := map[string]int{}
	apply := func(number, replicas, version int) trace.Object {
		name := fmt.Sprintf("app-%02d", number)
		// A rollout replaces all pods, scaling adds some.
		if version != versions[name] {
			plan.created[name] += replicas
		} else {
			plan.created[name] += max(0, replicas-plan.left[name])
		}
		versions[name], plan.left[name] = version, replicas
		return app(tb, name, replicas, version)
	}
	first := trace.Event{Time: benchStart, Applied: []trace.Object{beat(tb, "beat", nil)}}
	for i := range weekDeployments {
		first.Applied = append(first.Applied, apply(i, weekPods, 1))
	}
	events := append([]trace.Event{first}, restless(tb)...)
	for hour := 1; hour < int(length/time.Hour); hour++ {
		number := hour / 2 % weekDeployments
		name := fmt.Sprintf("app-%02d", number)
		replicas, version := plan.left[name], versions[name]
		switch {
		case hour%2 == 0:
			version++
		case replicas == weekPods:
			replicas = weekMorePods
		default:
			replicas = weekPods
		}
		// At half past, when no CronJob of the first hours changes.
		events = append(events, trace.Event{Time: benchStart + int64(hour)*3600 + 1800, Applied: []trace.Object{apply(number, replicas, version)}})
	}
	// The run at the end must be visible.
	events = append(events, trace.Event{Time: benchStart + int64(length/time.Second) + 60})
	slices.SortStableFunc(events, func(a, b trace.Event) int { return cmp.Compare(a.Time, b.Time) })
	// That of the first run, ten minutes after the CronJob is created.
	ran := map[uint64][]trace.Lifecycle{1: {{State: trace.Finished, Start: benchStart + 600, End: benchStart + 690}}}
	plan.trace = &trace.Trace{
		Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
			deploymentKind: {}, cronJobKind: {TrackLifecycle: true},
		}},
		Events:     events,
		Lifecycles: trace.Lifecycles{},
	}
	for _, name := range []string{"beat", "pausing", "changing", "passing"} {
		plan.trace.Lifecycles[trace.PodOwner{GVK: cronJobKind, Name: "shop/" + name}] = ran
	}
	return plan
}

// app returns a Deployment of which a new version creates new pods.
func app(tb testing.TB, name string, replicas, version int) trace.Object {
	labels := map[string]any{"app": name}
	pod := podSpec("Always")
	pod["terminationGracePeriodSeconds"] = int64(version) // an arbitrary change
	return object(tb, deploymentKind, name, map[string]any{
		"replicas": int64(replicas),
		"selector": map[string]any{"matchLabels": labels},
		"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": pod},
	})
}

// restless returns CronJobs that are suspended, resumed, rescheduled, created and deleted.
func restless(tb testing.TB) []trace.Event {
	at := func(hours, minutes, seconds int64) int64 { return benchStart + hours*3600 + minutes*60 + seconds }
	passing := beat(tb, "passing", map[string]any{"concurrencyPolicy": "Allow"})
	return []trace.Event{
		{Time: at(0, 3, 7), Applied: []trace.Object{beat(tb, "pausing", nil), beat(tb, "changing", nil), passing}},
		{Time: at(1, 15, 0), Applied: []trace.Object{beat(tb, "pausing", map[string]any{"suspend": true})}},
		// No run was missed according to the new schedule.
		{Time: at(1, 20, 30), Applied: []trace.Object{beat(tb, "changing", map[string]any{"schedule": "17,19,43 * * * *"})}},
		{Time: at(2, 4, 59), Deleted: []trace.Object{passing}},
		// The run of 3:20 is made up for.
		{Time: at(3, 23, 0), Applied: []trace.Object{beat(tb, "pausing", nil)}},
		{Time: at(4, 0, 1), Applied: []trace.Object{passing}},
		{Time: at(5, 5, 0), Deleted: []trace.Object{beat(tb, "pausing", nil), beat(tb, "changing", nil), passing}},
	}
}

// check compares the pods with the expected ones, except those of CronJobs.
func (p *weekPlan) check(tb testing.TB, run *results.Run) {
	tb.Helper()
	created, left := map[string]int{}, map[string]int{}
	kept := 0
	for _, pod := range run.Pods {
		if pod.OwnerKind == cronJobKind.Kind && pod.Deleted.IsZero() {
			kept++
		}
		if pod.OwnerKind != deploymentKind.Kind {
			continue
		}
		created[pod.OwnerName]++
		if pod.Deleted.IsZero() && pod.Phase == "Running" {
			left[pod.OwnerName]++
		}
	}
	for name := range p.created {
		if created[name] != p.created[name] || left[name] != p.left[name] {
			tb.Errorf("pods of Deployment %s: got %d, of which %d run in the end; want %d and %d",
				name, created[name], left[name], p.created[name], p.left[name])
		}
	}
	// A CronJob keeps three successful Jobs, beside the one that is running at the end; a deleted
	// CronJob keeps none.
	if kept != 4 {
		tb.Errorf("pods of CronJobs that are there in the end: got %d, want 4", kept)
	}
}
