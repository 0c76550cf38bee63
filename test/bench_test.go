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

// benchStart is a whole minute, as good as any.
const benchStart = 1_773_100_800

// BenchmarkReady is the time from starting the process to a control plane that serves: API
// server ready, CRDs installed, scheduler in sync.
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

// BenchmarkBurst is the time from the first apply until 1,000 pods of 40 Deployments run on 200 nodes,
// with the client-side rate limits of a default cluster and without.
func BenchmarkBurst(b *testing.B) {
	const deployments, pods, nodeCount = 40, 1000, 200
	event := trace.Event{Time: benchStart}
	for i := range deployments {
		event.Applied = append(event.Applied, deployment(b, i, pods/deployments))
	}
	for _, limits := range []struct {
		name    string
		qps     float32
		seconds int64 // enough for all pods to run
	}{
		{"default-limits", 0, 75},
		{"no-limits", -1, 30},
	} {
		b.Run(limits.name, func(b *testing.B) {
			// The second event only holds the replay open.
			file := writeTrace(b, []trace.Event{event, {Time: benchStart + limits.seconds}})
			var total time.Duration
			for b.Loop() {
				spec := benchSpec(b, file, nodeCount)
				spec.KubeAPIQPS = limits.qps
				run := simulate(b, spec, nil)
				last := time.Time{}
				for _, pod := range run.Pods {
					if pod.Running.IsZero() {
						b.Fatalf("pod %s never ran: %s", pod.Name, pod.LastWaitReason)
					}
					if pod.Running.After(last) {
						last = pod.Running
					}
				}
				if got := len(run.Pods); got != pods {
					b.Fatalf("pods: got %d, want %d", got, pods)
				}
				total += last.Sub(run.Summary.Run.WindowStart)
			}
			b.ReportMetric(total.Seconds()/float64(b.N), "s-to-running")
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

// simulate runs a simulation in a process of its own and reads its results.
func simulate(tb testing.TB, spec simulation.Spec, onMessage func(simulation.Message)) *results.Run {
	tb.Helper()
	done, err := skcluster.Simulate(tb.Context(), skcluster.Options{Path: binary(tb, "sk-cluster"), Spec: spec, OnMessage: onMessage})
	if err != nil {
		tb.Fatal(err)
	}
	run, err := results.Read(done.Output)
	if err != nil {
		tb.Fatal(err)
	}
	return run
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
