package test

import (
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

var (
	deploymentKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	configMapKind  = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	jobKind        = schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}
)

const traceStart = 1_740_000_000

// writeShop writes a minute of a small shop: a Deployment that grows from 3 to 5 pods and is
// deleted, and a Job with 2 pods that run for 30 s. That is 7 pods.
func writeShop(t *testing.T) string {
	t.Helper()
	tr := trace.Trace{
		Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
			deploymentKind: {PodSpecTemplatePaths: []string{"/spec/template"}},
			jobKind:        {PodSpecTemplatePaths: []string{"/spec/template"}, TrackLifecycle: true},
		}},
		Events: []trace.Event{
			{Time: traceStart, Applied: []trace.Object{web(t, 3), batch(t)}},
			{Time: traceStart + 20, Applied: []trace.Object{web(t, 5)}},
			{Time: traceStart + 60, Deleted: []trace.Object{object(t, deploymentKind, "web", nil)}},
		},
		Lifecycles: trace.Lifecycles{
			{GVK: jobKind, Name: "shop/batch"}: {1: {
				{State: trace.Finished, Start: traceStart + 1, End: traceStart + 31},
				{State: trace.Finished, Start: traceStart + 1, End: traceStart + 31},
			}},
		},
	}
	path := filepath.Join(t.TempDir(), "shop.sktrace")
	if err := tr.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func web(t *testing.T, replicas int64) trace.Object {
	labels := map[string]any{"app": "web"}
	return object(t, deploymentKind, "web", map[string]any{
		"replicas": replicas,
		"selector": map[string]any{"matchLabels": labels},
		"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": podSpec("Always")},
	})
}

func batch(t *testing.T) trace.Object {
	return object(t, jobKind, "batch", map[string]any{
		"parallelism": int64(2),
		"completions": int64(2),
		"template":    map[string]any{"spec": podSpec("Never")},
	})
}

func podSpec(restart string) map[string]any {
	return map[string]any{
		"restartPolicy": restart,
		"containers": []any{map[string]any{
			"name":      "main",
			"image":     "example.com/main:1",
			"resources": map[string]any{"requests": map[string]any{"cpu": "500m", "memory": "1Gi"}},
		}},
	}
}

func object(tb testing.TB, gvk schema.GroupVersionKind, name string, spec map[string]any) trace.Object {
	tb.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": gvk.GroupVersion().String(),
		"kind":       gvk.Kind,
		"metadata":   map[string]any{"name": name, "namespace": "shop"},
	}}
	if spec != nil {
		u.Object["spec"] = spec
	}
	out, err := trace.NewObject(u)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}
