package test

import (
	"fmt"
	"path/filepath"
	"testing"

	"simkube.io/simkube/trace"
)

// At a speed that leaves no time for controllers, owners of pods and namespaces are deleted once
// their pods have run.
func TestSimulate_DeletesAfterPods(t *testing.T) {
	t.Parallel()
	namespace := manifestOf(t, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "shop"}})
	var applied, deleted []trace.Object
	for i := range 5 {
		web := deploymentOf(t, "web", fmt.Sprint("web-", i), 2)
		applied, deleted = append(applied, web, deploymentOf(t, "shop", fmt.Sprint("shop-", i), 2)), append(deleted, web)
	}
	trainer := object(t, trainerKind, "model", map[string]any{"tasks": []any{
		map[string]any{"replicas": int64(3), "template": map[string]any{"spec": podSpec("Always")}},
	}})
	applied, deleted = append(applied, definition(t, trainerKind, "trainers"), trainer), append(deleted, trainer)
	file := written(
		t, trace.Event{Time: traceStart, Applied: append(applied, namespace)},
		trace.Event{Time: traceStart + 5, Deleted: append(deleted, namespace)},
		trace.Event{Time: traceStart + 10, Applied: []trace.Object{deploymentOf(t, "shop", "last", 1)}},
	)
	s := newSandbox(t)
	s.skctl("simulate", file, "-o", "out", "--strict", "--time", "real", "--speed", "1000").check(t, done)
	if got := summary(t, filepath.Join(s.dir, "out")).Outcome.Pods; got.Ran != 24 {
		t.Errorf("got %d pods that ran, want 24: %+v", got.Ran, got)
	}
}
