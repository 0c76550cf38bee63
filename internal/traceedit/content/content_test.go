package content

import (
	"testing"

	"github.com/tinylib/msgp/msgp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"simkube.io/simkube/trace"
)

// foreign returns an object whose keys are in another order than a Writer uses.
func foreign(t *testing.T, replicas int64) trace.Object {
	t.Helper()
	b := msgp.AppendMapHeader(nil, 4)
	b = msgp.AppendInt64(msgp.AppendString(msgp.AppendMapHeader(msgp.AppendString(b, "spec"), 1), "replicas"), replicas)
	b = msgp.AppendString(msgp.AppendString(msgp.AppendMapHeader(msgp.AppendString(b, "metadata"), 1), "name"), "a")
	b = msgp.AppendString(msgp.AppendString(b, "kind"), "Pod")
	b = msgp.AppendString(msgp.AppendString(b, "apiVersion"), "v1")
	o, err := trace.ParseObject(b)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestHasher(t *testing.T) {
	own, err := trace.NewObject(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "a"}, "spec": map[string]any{"replicas": int64(3)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var here, there Hasher
	other, changed := foreign(t, 3), foreign(t, 4)
	for h, o := range map[*Hasher]*trace.Object{&here: &own, &there: &other} {
		if err := h.Sample(o); err != nil {
			t.Fatal(err)
		}
	}
	hash := func(h *Hasher, o *trace.Object) uint64 {
		sum, err := h.Hash(o)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if hash(&here, &own) != hash(&there, &other) {
		t.Error("the same object has another hash where its keys are in another order")
	}
	if hash(&there, &other) == hash(&there, &changed) {
		t.Error("different objects have one hash")
	}
}
