package test

import (
	"path/filepath"
	"testing"

	"simkube.io/simkube/trace"
)

// A pod with an affinity to others by a namespaceSelector gets a node when they have one. The
// scheduler tries it again only after five minutes, and the trace is shorter.
func TestSimulate_RetriesPods(t *testing.T) {
	t.Parallel()
	labels := map[string]any{"app": "cart"}
	spec := podSpec("Always")
	spec["affinity"] = map[string]any{"podAffinity": map[string]any{
		"requiredDuringSchedulingIgnoredDuringExecution": []any{map[string]any{
			"topologyKey":       "kubernetes.io/hostname",
			"labelSelector":     map[string]any{"matchLabels": map[string]any{"app": "web"}},
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": "shop"}},
		}},
	}}
	cart := manifestOf(t, map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"namespace": "shop", "name": "cart"},
		"spec": map[string]any{
			"replicas": int64(2), "selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": spec},
		},
	})
	file := written(
		t, trace.Event{Time: traceStart, Applied: []trace.Object{cart}},
		trace.Event{Time: traceStart + 20, Applied: []trace.Object{deploymentOf(t, "shop", "web", 1)}},
	)
	for name, clock := range clocks {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.skctl(append([]string{"simulate", file, "-o", "out", "--strict"}, clock...)...).check(t, done)
			if got := summary(t, filepath.Join(s.dir, "out")).Outcome.Pods; got.Ran != 3 {
				t.Errorf("got %d pods that ran, want 3: %+v", got.Ran, got)
			}
		})
	}
}
