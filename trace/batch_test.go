package trace

import (
	"bytes"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestBatch_Add copies the events of a reader to batches and compares them with the originals.
func TestBatch_Add(t *testing.T) {
	var in Trace
	for i := range 100 {
		obj, err := NewObject(&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": fmt.Sprint("a", i)},
			"data": map[string]any{"x": fmt.Sprint(i)},
		}})
		if err != nil {
			t.Fatal(err)
		}
		e := Event{Time: int64(i), Applied: []Object{obj, obj}[:i%3]}
		if i%2 == 0 {
			e.Deleted = []Object{obj}
		}
		in.Events = append(in.Events, e)
	}
	var file bytes.Buffer
	if err := in.Write(&file); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var batch Batch
	var want [][]byte
	check := func() {
		for i := range batch.Events {
			if got := encodedEvent(t, &batch.Events[i]); !bytes.Equal(got, want[i]) {
				t.Errorf("event %d at second %d differs", i, batch.Events[i].Time)
			}
		}
		batch.Reset()
		want = nil
	}
	for e, err := range r.Events() {
		if err != nil {
			t.Fatal(err)
		}
		batch.Add(e)
		want = append(want, encodedEvent(t, e))
		if len(batch.Events) == 30 {
			check()
		}
	}
	check()
}
