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

// On the wall clock, what is deleted and made again within one event has its pods twice, each time
// as many as it asks for: the pods of StatefulSets have the names of those before, and a claim is
// needed by pods that a scheduler tries twice.
func TestSimulate_MadeAgain(t *testing.T) {
	t.Parallel()
	class := manifestOf(t, map[string]any{
		"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": map[string]any{"name": "standard"},
		"provisioner": "disks.example.com", "volumeBindingMode": "WaitForFirstConsumer",
	})
	claim := manifestOf(t, map[string]any{
		"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"namespace": "web", "name": "data"},
		"spec": map[string]any{
			"accessModes": []any{"ReadWriteMany"}, "storageClassName": "standard",
			"resources": map[string]any{"requests": map[string]any{"storage": "1Gi"}},
		},
	})
	var again []trace.Object
	workload := func(kind, name string, replicas int64, spec map[string]any) {
		labels := map[string]any{"app": name}
		again = append(again, manifestOf(t, map[string]any{
			"apiVersion": "apps/v1", "kind": kind, "metadata": map[string]any{"namespace": "web", "name": name},
			"spec": map[string]any{
				"replicas": replicas, "selector": map[string]any{"matchLabels": labels},
				"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": spec},
			},
		}))
	}
	for i := range 8 {
		workload("StatefulSet", fmt.Sprint("db-", i), 3, podSpec("Always"))
	}
	reader := podSpec("Always")
	reader["volumes"] = []any{map[string]any{"name": "data", "persistentVolumeClaim": map[string]any{"claimName": "data"}}}
	workload("Deployment", "reader", 2, reader)
	again = append(again, claim)
	file := written(
		t, trace.Event{Time: traceStart, Applied: append([]trace.Object{class}, again...)},
		trace.Event{Time: traceStart + 60, Deleted: again, Applied: again},
		trace.Event{Time: traceStart + 120},
	)
	s := newSandbox(t)
	s.skctl("simulate", file, "-o", "out", "--strict", "--time", "real", "--speed", "60", "--nodes", "3").check(t, done)
	if got := summary(t, filepath.Join(s.dir, "out")).Outcome.Pods; got.Created != 52 || got.Ran != 52 {
		t.Errorf("got %+v, want 52 pods that ran", got)
	}
}
