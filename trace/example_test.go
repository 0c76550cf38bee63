package trace_test

import (
	"bytes"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Write a trace event by event and read it back.
func Example() {
	deployment := schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	config := &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{deployment: {}}}

	var file bytes.Buffer
	if err := writeExample(&file, config); err != nil {
		fmt.Println(err)
		return
	}

	r, err := trace.NewReader(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	for event, err := range r.Events() {
		if err != nil {
			fmt.Println(err)
			return
		}
		for i := range event.Applied {
			obj := &event.Applied[i]
			fmt.Println(event.Time, trace.FormatGVK(obj.GVK()), obj.NamespacedName())
		}
	}
	tail, err := r.Tail()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(tail.Index[deployment]), "object in the index")
	// Output:
	// 1700000000 apps/v1.Deployment default/web
	// 1700000060 apps/v1.Deployment default/web
	// 1 object in the index
}

func writeExample(file *bytes.Buffer, config *trace.Config) error {
	w, err := trace.NewWriter(file, config, trace.WriterOptions{Events: 2})
	if err != nil {
		return err
	}
	defer w.Close()
	index := trace.Index{}
	for i := range 2 {
		obj, err := trace.NewObject(&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment",
			"metadata": map[string]any{"namespace": "default", "name": "web"},
			"spec":     map[string]any{"replicas": int64(i + 1)},
		}})
		if err != nil {
			return err
		}
		event := &trace.Event{Time: 1_700_000_000 + 60*int64(i), Applied: []trace.Object{obj}}
		index.Record(event)
		if err := w.WriteEvent(event); err != nil {
			return err
		}
	}
	return w.Finish(&trace.Tail{Index: index})
}
