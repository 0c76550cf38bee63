package test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/trace"
)

// trainerKind and runnerKind are kinds of custom workloads. The pods of runners were recorded.
var (
	trainerKind = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Trainer"}
	runnerKind  = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Runner"}
)

// writeOwners writes a trace of two minutes of owners whose pods end in different ways.
func writeOwners(t *testing.T) string {
	t.Helper()
	at := func(seconds int64) int64 { return traceStart + seconds }
	ran := func(from, to int64) trace.Lifecycle {
		return trace.Lifecycle{State: trace.Finished, Start: at(from), End: at(to)}
	}
	runs := func(from int64) trace.Lifecycle { return trace.Lifecycle{State: trace.Running, Start: at(from)} }
	task := func(replicas int64) map[string]any {
		return map[string]any{"replicas": replicas, "template": map[string]any{
			"metadata": map[string]any{"labels": map[string]any{"of": "task"}}, "spec": podSpec("Always"),
		}}
	}
	trainer := func(name string, suspend bool, tasks ...any) trace.Object {
		return object(t, trainerKind, name, map[string]any{"suspend": suspend, "tasks": tasks})
	}
	runner := func(name string) trace.Object {
		return object(t, runnerKind, name, map[string]any{"template": map[string]any{"spec": podSpec("Never")}})
	}
	named := func(name string, replicas int64, owners ...any) trace.Object {
		labels := map[string]any{"app": name}
		u := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment",
			"metadata": map[string]any{"name": name, "namespace": "shop", "ownerReferences": owners},
			"spec": map[string]any{
				"replicas": replicas, "selector": map[string]any{"matchLabels": labels},
				"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": podSpec("Always")},
			},
		}}
		out, err := trace.NewObject(u)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	parent := map[string]any{"apiVersion": "example.com/v1", "kind": "Trainer", "name": "parent", "uid": "u", "controller": true}
	tr := trace.Trace{
		Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
			deploymentKind: {TrackLifecycle: true},
			trainerKind:    {PodSpecTemplatePaths: []string{"/spec/tasks/*/template"}},
			runnerKind:     {PodSpecTemplatePaths: []string{"/spec/template"}, TrackLifecycle: true},
		}},
		Events: []trace.Event{
			{Time: at(0), Applied: []trace.Object{
				definition(t, trainerKind, "trainers"), definition(t, runnerKind, "runners"), named("deleted", 3), named("evicted", 2),
			}},
			{Time: at(10), Applied: []trace.Object{
				trainer("scaled", false, task(1), task(3)), trainer("suspended", true, task(5)),
				trainer("parent", false, task(2)), named("child", 1, parent), runner("recorded"), runner("unrecorded"),
			}},
			{Time: at(40), Applied: []trace.Object{trainer("scaled", false, task(2), task(1))}},
			{Time: at(80), Deleted: []trace.Object{
				object(t, deploymentKind, "deleted", nil), object(t, trainerKind, "scaled", nil),
			}},
			{Time: at(120), Applied: []trace.Object{named("child", 1, parent)}},
		},
		Lifecycles: trace.Lifecycles{
			{GVK: deploymentKind, Name: "shop/deleted"}:  {1: {ran(2, 55), ran(2, 56), ran(3, 56)}},
			{GVK: deploymentKind, Name: "shop/evicted"}:  {1: {ran(2, 30), runs(2), runs(33)}},
			{GVK: deploymentKind, Name: "shop/child"}:    {1: {runs(11)}},
			{GVK: runnerKind, Name: "shop/recorded"}:     {7: {ran(12, 32)}, 8: {ran(50, 70)}},
			{GVK: runnerKind, Name: "shop/other-runner"}: {7: {runs(12)}},
		},
	}
	path := filepath.Join(t.TempDir(), "owners.sktrace")
	if err := tr.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// definition returns a definition of a namespaced kind with any content.
func definition(t *testing.T, gvk schema.GroupVersionKind, plural string) trace.Object {
	t.Helper()
	out, err := trace.NewObject(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": plural + "." + gvk.Group},
		"spec": map[string]any{
			"group": gvk.Group, "scope": "Namespaced", "names": map[string]any{"kind": gvk.Kind, "plural": plural},
			"versions": []any{map[string]any{
				"name": gvk.Version, "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
			}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// podsOf returns the pods of each owner, and how many of them succeeded.
func podsOf(outcome results.Outcome) map[string][2]int {
	out := map[string][2]int{}
	for _, owner := range outcome.ByOwner {
		out[owner.Kind+"/"+owner.Name] = [2]int{owner.Pods, owner.Succeeded}
	}
	return out
}

// TestSimulate_Owners checks on both clocks that owners have as many pods as were recorded, or as
// they ask for, also if their controllers are not in the cluster, and that the pods of a Deployment
// end with it.
func TestSimulate_Owners(t *testing.T) {
	t.Parallel()
	path := writeOwners(t)
	deployments := map[string][2]int{"Deployment/child": {1, 0}, "Deployment/deleted": {3, 0}, "Deployment/evicted": {3, 0}}
	custom := map[string][2]int{"Runner/recorded": {2, 2}, "Trainer/scaled": {5, 0}}
	for name, clock := range clocks {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			r := s.skctl(slices.Concat([]string{"simulate", path, "-o", "out"}, clock)...)
			r.check(t, done)
			wants(t, "standard error", r.stderr,
				"made 7 pods of 2 custom workloads (Runner.example.com and Trainer.example.com) whose controllers are not in the cluster")
			got := summary(t, filepath.Join(s.dir, "out")).Outcome
			want := map[string][2]int{}
			for _, part := range []map[string][2]int{deployments, custom} {
				for owner, pods := range part {
					want[owner] = pods
				}
			}
			if diff := cmp.Diff(want, podsOf(got)); diff != "" {
				t.Errorf("pods and succeeded pods (-want +got):\n%s", diff)
			}
			if got.Problems.Total != 0 {
				t.Errorf("problems: %+v", got.Problems.First)
			}
		})
	}
	t.Run("no stand-in", func(t *testing.T) {
		s := newSandbox(t)
		s.skctl("simulate", path, "-o", "out", "--custom-controllers", "none").check(t, done)
		if diff := cmp.Diff(deployments, podsOf(summary(t, filepath.Join(s.dir, "out")).Outcome)); diff != "" {
			t.Errorf("pods and succeeded pods (-want +got):\n%s", diff)
		}
	})
}
