package test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/skcluster"
	"simkube.io/simkube/trace"
)

// benchStart is an arbitrary whole minute.
const benchStart = 1_773_100_800

// BenchmarkReady measures the time from starting the process until the control plane serves
// requests: the API server is ready, CRDs are installed, and the scheduler has synced.
func BenchmarkReady(b *testing.B) {
	file := writeTrace(b, []trace.Event{{Time: benchStart, Applied: []trace.Object{deployment(b, 0, 1)}}})
	var total time.Duration
	for b.Loop() {
		began := time.Now()
		var ready atomic.Int64
		simulate(b, benchSpec(b, file, 1), func(m simulation.Message) {
			if m.Progress != nil && m.Progress.Phase == simulation.Nodes {
				ready.CompareAndSwap(0, int64(time.Since(began)))
			}
		})
		if ready.Load() == 0 {
			b.Fatal("the control plane was never ready")
		}
		total += time.Duration(ready.Load())
	}
	b.ReportMetric(total.Seconds()/float64(b.N), "s-to-ready")
}

// BenchmarkBurst measures the real time from the start of a replay until all pods of some
// Deployments are running, on both clocks, with and without the client-side rate limits of a
// default cluster.
func BenchmarkBurst(b *testing.B) {
	for _, bench := range []struct {
		name                     string
		clock                    simulation.Time
		qps                      float32
		deployments, pods, nodes int
		seconds                  int64 // of the replay; long enough for all pods to run
		seed                     uint64
	}{
		{"1000-pods/real/default-limits", simulation.Real, 0, 40, 1000, 200, 75, 0},
		{"1000-pods/real/no-limits", simulation.Real, -1, 40, 1000, 200, 20, 0},
		{"1000-pods/virtual/no-limits", simulation.Virtual, -1, 40, 1000, 200, 20, 0},
		{"5000-pods/real/no-limits", simulation.Real, -1, 100, 5000, 1000, 75, 0},
		{"5000-pods/virtual/no-limits", simulation.Virtual, -1, 100, 5000, 1000, 75, 0},
		{"5000-pods/virtual/no-limits/seed", simulation.Virtual, -1, 100, 5000, 1000, 75, seed},
		{"20000-pods/virtual/no-limits", simulation.Virtual, -1, 100, 20_000, 1000, 75, 0},
	} {
		b.Run(bench.name, func(b *testing.B) {
			event := trace.Event{Time: benchStart}
			for i := range bench.deployments {
				event.Applied = append(event.Applied, deployment(b, i, bench.pods/bench.deployments))
			}
			// The second event only extends the replay.
			file := writeTrace(b, []trace.Event{event, {Time: benchStart + bench.seconds}})
			var total time.Duration
			var peak int64
			for b.Loop() {
				spec := benchSpec(b, file, bench.nodes)
				spec.Time, spec.KubeAPIQPS, spec.Seed = bench.clock, bench.qps, bench.seed
				var began, running time.Time
				run, usage := measure(b, spec, func(m simulation.Message) {
					switch p := m.Progress; {
					case p == nil || p.Phase != simulation.Replaying && p.Phase != simulation.Settling:
					case began.IsZero():
						began = time.Now()
					case running.IsZero() && p.Counts.Running == bench.pods:
						running = time.Now()
					}
				})
				for _, pod := range run.Pods {
					if pod.Running.IsZero() {
						b.Fatalf("pod %s never ran: %s", pod.Name, pod.LastWaitReason)
					}
				}
				if got := len(run.Pods); got != bench.pods {
					b.Fatalf("pods: got %d, want %d", got, bench.pods)
				}
				total += running.Sub(began)
				peak = max(peak, usage.PeakMemory)
			}
			b.ReportMetric(float64(peak)/1e9, "GB-peak")
			b.ReportMetric(total.Seconds()/float64(b.N), "s-to-running")
			b.ReportMetric(float64(b.N*bench.pods)/total.Seconds(), "pods/s")
		})
	}
}

// BenchmarkDay replays the example day in virtual time, from the start of the process to the
// report.
func BenchmarkDay(b *testing.B) {
	file, err := filepath.Abs("../examples/day.sktrace")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		spec := benchSpec(b, file, 0)
		spec.Time = simulation.Virtual
		began := time.Now()
		run := simulate(b, spec, nil)
		b.ReportMetric(time.Since(began).Seconds(), "s-total")
		checkCronRuns(b, file, run)
		b.ReportMetric(run.Summary.Run.ClockSeconds/run.Summary.Run.WallSeconds, "virtual-s/s")
	}
}

// BenchmarkIdle measures the pace of an idle control plane by its number of nodes.
func BenchmarkIdle(b *testing.B) {
	const hours = 6
	for _, count := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(count, "-nodes"), func(b *testing.B) {
			file := writeTrace(b, []trace.Event{{Time: benchStart}, {Time: benchStart + hours*3600}})
			for b.Loop() {
				spec := benchSpec(b, file, count)
				spec.Time = simulation.Virtual
				var began, ended time.Time
				run := simulate(b, spec, func(m simulation.Message) {
					switch p := m.Progress; {
					case p == nil:
					case p.Phase == simulation.Replaying && began.IsZero():
						began = time.Now()
					case p.Phase == simulation.Reporting && ended.IsZero():
						ended = time.Now()
					}
				})
				if ended.IsZero() {
					ended = time.Now()
				}
				b.ReportMetric(run.Summary.Run.ClockSeconds/ended.Sub(began).Seconds(), "virtual-s/s")
			}
		})
	}
}

func benchSpec(b *testing.B, file string, nodeCount int) simulation.Spec {
	b.Helper()
	return simulation.Spec{
		Name:            "bench",
		Trace:           file,
		Output:          filepath.Join(b.TempDir(), "results"),
		Overwrite:       true,
		Nodes:           nodes.Spec{Count: nodeCount},
		NamespacePrefix: "virtual",
	}
}

// simulate runs a simulation in a process of its own and returns its results.
func simulate(tb testing.TB, spec simulation.Spec, onMessage func(simulation.Message)) *results.Run {
	tb.Helper()
	run, _ := measure(tb, spec, onMessage)
	return run
}

// measure is simulate, and also returns what the process used.
func measure(tb testing.TB, spec simulation.Spec, onMessage func(simulation.Message)) (*results.Run, skcluster.Usage) {
	tb.Helper()
	name := "sk-cluster"
	if spec.Time == simulation.Virtual {
		name = "sk-cluster-virtual"
	}
	var usage skcluster.Usage
	done, err := skcluster.Simulate(tb.Context(), skcluster.Options{
		Path: binary(tb, name), Spec: spec, OnMessage: onMessage, OnEnd: func(u skcluster.Usage) { usage = u },
	})
	if err != nil {
		tb.Fatal(err)
	}
	run, err := results.Read(done.Output)
	if err != nil {
		tb.Fatal(err)
	}
	return run, usage
}

func writeTrace(tb testing.TB, events []trace.Event) string {
	tb.Helper()
	gvk := schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	t := &trace.Trace{Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{gvk: {}}}, Events: events}
	file := filepath.Join(tb.TempDir(), "bench.sktrace")
	if err := t.WriteFile(file); err != nil {
		tb.Fatal(err)
	}
	return file
}

func deployment(tb testing.TB, number, replicas int) trace.Object {
	tb.Helper()
	name := fmt.Sprintf("app-%03d", number)
	labels := map[string]any{"app": name}
	object, err := trace.NewObject(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1",
		"kind":       "Deployment",
		"metadata":   map[string]any{"name": name, "namespace": fmt.Sprintf("team-%d", number%4), "labels": labels},
		"spec": map[string]any{
			"replicas": int64(replicas),
			"selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{
				"metadata": map[string]any{"labels": labels},
				"spec": map[string]any{"containers": []any{map[string]any{
					"name":      "app",
					"image":     "registry.example.com/app:1",
					"resources": map[string]any{"requests": map[string]any{"cpu": "250m", "memory": "512Mi"}},
				}}},
			},
		},
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return object
}
