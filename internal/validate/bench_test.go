package validate

import (
	"bytes"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// benchTrace returns a trace of Deployments of about 3 KB: 500 objects, in events of four. If
// changes is true, every manifest differs from the object's last one.
func benchTrace(b testing.TB, events int, changes bool) []byte {
	b.Helper()
	env := make([]any, 0, 30)
	for i := range 30 {
		env = append(env, map[string]any{"name": fmt.Sprint("SETTING_", i), "value": fmt.Sprintf("https://service-%d.example.internal:8443/v1", i)})
	}
	env = append(env, map[string]any{"name": "PASSWORD", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "db", "key": "x"}}})
	tr := trace.Trace{Index: trace.Index{}, Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
		{Group: "apps", Version: "v1", Kind: "Deployment"}: {},
	}}}
	for i := range events {
		event := trace.Event{Time: 1_700_000_000 + int64(i)}
		for j := range 4 {
			n := (i*4 + j) % 500
			image := "registry.example.internal/web:v1"
			if changes {
				image += fmt.Sprint(".", i)
			}
			obj, err := trace.NewObject(&unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"namespace": "shop", "name": fmt.Sprint("web-", n)},
				"spec": map[string]any{"replicas": int64(3), "template": map[string]any{"spec": map[string]any{
					"containers": []any{map[string]any{
						"name": "server", "image": image, "env": env,
						"resources":    map[string]any{"requests": map[string]any{"cpu": "250m", "memory": "512Mi"}},
						"volumeMounts": []any{map[string]any{"name": "config", "mountPath": "/etc/config"}},
					}},
					"volumes": []any{map[string]any{"name": "config", "configMap": map[string]any{"name": "settings"}}},
				}}},
			}})
			if err != nil {
				b.Fatal(err)
			}
			event.Applied = append(event.Applied, obj)
		}
		tr.Events = append(tr.Events, event)
	}
	var out bytes.Buffer
	if err := tr.Write(&out); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkCheck compares checking traces of about 40 MB with only reading them.
//
//	go test -run '^$' -bench Check ./internal/validate
func BenchmarkCheck(b *testing.B) {
	for _, test := range []struct {
		name    string
		changes bool
	}{{"Repeated", false}, {"Changing", true}} {
		data := benchTrace(b, 4000, test.changes)
		b.Run("Iterate"+test.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				reader, err := trace.NewReader(bytes.NewReader(data))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := reader.Tail(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(test.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				check(b, data, Options{})
			}
		})
	}
}

// TestChecker_Memory checks that memory does not grow with the length of a trace.
func TestChecker_Memory(t *testing.T) {
	size := func(events int) int {
		reader, err := trace.NewReader(bytes.NewReader(benchTrace(t, events, true)))
		if err != nil {
			t.Fatal(err)
		}
		c := New(Options{Config: reader.Config()})
		for event, err := range reader.Events() {
			if err != nil {
				t.Fatal(err)
			}
			c.Add(event)
		}
		c.flush()
		return len(c.objects) + len(c.findings) + len(c.firstDemands) + len(c.reader.texts) + len(c.reader.demands) + len(c.gone) + len(c.spots) + cap(c.waiting)
	}
	if short, long := size(200), size(1000); long > short {
		t.Errorf("%d things are kept of the short trace, %d of the long one", short, long)
	}
}
