package test

import (
	"fmt"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// written writes a trace of Deployments to a temporary file.
func written(t *testing.T, events ...trace.Event) string {
	t.Helper()
	tr := trace.Trace{
		Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
			deploymentKind: {PodSpecTemplatePaths: []string{"/spec/template"}},
			trainerKind:    {PodSpecTemplatePaths: []string{"/spec/tasks/*/template"}},
		}},
		Events: events,
	}
	path := filepath.Join(t.TempDir(), "busy.sktrace")
	if err := tr.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// burst has many pods at one time, a thousand in each Deployment, and lasts a day.
func burst(t *testing.T, pods int) string {
	t.Helper()
	const each = 1000
	first := trace.Event{Time: traceStart}
	for made := 0; made < pods; made += each {
		first.Applied = append(first.Applied, deploymentOf(t, "shop", fmt.Sprintf("web-%d", made/each), int64(min(each, pods-made))))
	}
	return written(t, first, trace.Event{Time: traceStart + 86_400})
}

// manyNamespaces has many namespaces at one time, with a Deployment in each.
func manyNamespaces(t *testing.T, count int) string {
	t.Helper()
	first := trace.Event{Time: traceStart}
	for i := range count {
		first.Applied = append(first.Applied, deploymentOf(t, fmt.Sprintf("team-%d", i), "web", 1))
	}
	return written(t, first, trace.Event{Time: traceStart + 86_400})
}

// manyEvents takes a while to read.
func manyEvents(t *testing.T, count int) string {
	t.Helper()
	events := make([]trace.Event, count)
	for i := range events {
		events[i] = trace.Event{Time: traceStart + int64(i), Applied: []trace.Object{deploymentOf(t, "shop", fmt.Sprintf("web-%d", i%500), int64(i%7))}}
	}
	return written(t, events...)
}

func deploymentOf(t *testing.T, namespace, name string, replicas int64) trace.Object {
	t.Helper()
	labels := map[string]any{"app": name}
	out, err := trace.NewObject(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"namespace": namespace, "name": name, "finalizers": []any{"example.com/never-lifted"}},
		"spec": map[string]any{
			"replicas": replicas,
			"selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": podSpec("Always")},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
