package xray

import (
	"fmt"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// noon is when the traces made here begin: 2025-06-01, 12:00 UTC.
const noon = 1748779200

var deployments = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}

func testObject(t testing.TB, apiVersion, kind, namespace, name string, fields map[string]any) trace.Object {
	t.Helper()
	tree := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name}}
	if namespace != "" {
		tree["metadata"].(map[string]any)["namespace"] = namespace
	}
	for key, value := range fields {
		tree[key] = value
	}
	obj, err := trace.NewObject(&unstructured.Unstructured{Object: tree})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func testDeleted(t testing.TB, gvk schema.GroupVersionKind, name string) trace.Object {
	t.Helper()
	obj, err := trace.NewDeleted(gvk, name)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// variedTrace writes a trace with what the example has not: events with many objects, over
// midnight, one without any; an object that is deleted and comes again, one that is applied without
// a change, one without a namespace; text that would do things to a terminal, wide characters, long
// lines; pods of all states.
func variedTrace(t testing.TB) string {
	t.Helper()
	web := func(replicas int64, note string) trace.Object {
		return testObject(t, "apps/v1", "Deployment", "shop", "web", map[string]any{
			"spec": map[string]any{"replicas": replicas, "note": note, "template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": "web"}}}},
		})
	}
	hostile := testObject(t, "v1", "ConfigMap", "shop", "evil\x1b[2J\u202ename", map[string]any{"data": map[string]any{
		"clear": "\x1b[2J\x1b]0;title\x07", "bell\a": "tab\there", "c1": "\u009b31m", "wide": "日本語テキスト", "emoji": "👩‍👩‍👧 🇩🇪 ✌🏽 e\u0301",
		"bidi": "\u202eabc", "zero": "a\u200bb\ufeff", "lines": "one\ntwo\r\nthree", "long": fmt.Sprint(make([]int, 200)),
	}})
	events := []trace.Event{
		{Time: noon, Applied: []trace.Object{
			web(3, "one"), hostile,
			testObject(t, "v1", "Node", "", "node-1", nil),
			testObject(t, "v1", "Pod", "shop", "a", nil), testObject(t, "v1", "Pod", "shop", "b", nil),
		}},
		{Time: noon + 60, Applied: []trace.Object{web(5, "two"), testObject(t, "v1", "Node", "", "node-1", nil)}},
		{Time: noon + 3600},
		{Time: noon + 4000, Deleted: []trace.Object{testDeleted(t, deployments, "shop/web"), testDeleted(t, schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, "shop/a")}},
		{Time: noon + 90000, Applied: []trace.Object{web(1, "three")}},
	}
	owner := trace.PodOwner{GVK: deployments, Name: "shop/web"}
	tail := &trace.Tail{Index: trace.Index{}, Lifecycles: trace.Lifecycles{owner: {
		1: {
			{State: trace.Finished, Start: noon + 5, End: noon + 50000},
			{State: trace.Running, Start: noon + 70000},
			{},
			{State: trace.Finished, Start: noon + 80000, End: noon + 80003},
		},
		0xfeedfacecafe: {{State: trace.Finished, Start: noon - 100, End: noon + 95000}},
	}}}
	path := filepath.Join(t.TempDir(), "varied.sktrace")
	w, err := trace.Create(path, &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{deployments: {TrackLifecycle: true}}}, trace.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range events {
		if err := w.WriteEvent(&events[i]); err != nil {
			t.Fatal(err)
		}
		tail.Index.Record(&events[i])
	}
	if err := w.Finish(tail); err != nil {
		t.Fatal(err)
	}
	return path
}
