package trace

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// objectOf reads one object out of a trace.
func objectOf(t testing.TB, manifest any) *Object {
	t.Helper()
	return &mustRead(t, pack(eventsOf(manifest))).Events[0].Applied[0]
}

// hasBigInteger reports whether a tree was decoded from an object with an integer beyond int64,
// which is the only thing that decoding does not preserve.
func hasBigInteger(v any) bool {
	switch v := v.(type) {
	case uint64:
		return true
	case []any:
		for _, e := range v {
			if hasBigInteger(e) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if hasBigInteger(e) {
				return true
			}
		}
	}
	return false
}

// checkObject checks that all methods of an object agree.
func checkObject(t *testing.T, obj *Object) {
	t.Helper()
	u, err := obj.Unstructured()
	if err != nil {
		t.Fatal(err)
	}
	if u.GroupVersionKind() != obj.GVK() || u.GetName() != obj.Name() || u.GetNamespace() != obj.Namespace() {
		t.Errorf("decoded: got %s %s/%s, want %s %s/%s", u.GroupVersionKind(), u.GetNamespace(), u.GetName(), obj.GVK(), obj.Namespace(), obj.Name())
	}
	exact := decoder{walker: walker[string]{src: string(obj.Raw())}, exact: true}
	tree := exact.object()
	hash, err := HashValue(tree["spec"])
	if err != nil {
		t.Fatal(err)
	}
	if got := obj.Hash(); got != hash {
		t.Errorf("hash of the bytes: got %d, want the tree's %d, of %v", got, hash, tree["spec"])
	}
	if hasBigInteger(tree) {
		return
	}
	again, err := NewObject(u)
	if err != nil {
		t.Fatal(err)
	}
	if !again.canonical {
		t.Errorf("NewObject made bytes that are not canonical: %x", again.Raw())
	}
	canonical, err := obj.appendCanonical(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Raw(), canonical) {
		t.Errorf("canonical bytes:\ngot  %x\nwant %x", canonical, again.Raw())
	}
	if again.Hash() != hash || again.NamespacedName() != obj.NamespacedName() || again.GVK() != obj.GVK() {
		t.Errorf("made again: got %s %s, want %s %s", FormatGVK(again.GVK()), again.NamespacedName(), FormatGVK(obj.GVK()), obj.NamespacedName())
	}
}

func TestObject_Unstructured(t *testing.T) {
	obj := objectOf(t, strangeManifest)
	want := map[string]any{
		"apiVersion": "example.com/v1alpha1", "kind": "Widget",
		"metadata": map[string]any{"namespace": "default", "name": "strange"},
		"spec": map[string]any{
			"z": int64(7), "big": int64(math.MaxInt64), "a": "x", "binary": base64.StdEncoding.EncodeToString([]byte("hello\x00")),
			"single": 0.5, "negative": int64(-3), "minus0": math.Copysign(0, -1), "map16": map[string]any{},
			"array32": []any{true}, "str32": "hi", "int8": int64(-128),
		},
	}
	got, err := obj.Unstructured()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Object); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
}

func TestObject(t *testing.T) {
	for name, manifest := range map[string]ordered{
		"pod": podManifest, "deployment": deploymentManifest, "cluster role": roleManifest, "strange": strangeManifest,
		"null namespace": podManifest.with("metadata", ordered{"name", "x", "namespace", nil}),
		"null spec":      podManifest.with("spec", nil),
		"list as spec":   podManifest.with("spec", []any{ordered{"b", 1, "a", 2}, 1}),
		// Each has one encoding that a Writer would not use.
		"wide string":       podManifest.with("spec", raw{mStr8, 1, 'x'}),
		"wide array":        podManifest.with("spec", raw{mArray16, 0, 1, 1}),
		"wide map":          podManifest.with("spec", raw{mMap32, 0, 0, 0, 0}),
		"wide integer":      podManifest.with("spec", wideUint(7)),
		"signed integer":    podManifest.with("spec", wideInt(math.MaxInt64)),
		"wide negative":     podManifest.with("spec", wideInt(-7)),
		"small float":       podManifest.with("spec", float32(0.25)),
		"binary":            podManifest.with("spec", []byte{1, 2}),
		"unsorted spec":     podManifest.with("spec", ordered{"b", ordered{"y", 1, "x", 2}, "a", ordered{"y", 1, "x", 2}, "c", 3}),
		"unsorted metadata": podManifest.with("metadata", ordered{"namespace", "n", "name", "x"}),
		"apiVersion last":   append(podManifest.with("apiVersion", absent), "apiVersion", "v1"),
		"kind last":         append(podManifest.with("kind", absent), "kind", "Pod"),
		"metadata last":     append(podManifest.with("metadata", absent), "metadata", ordered{"name", "x"}),
		"field after spec":  append(podManifest[:len(podManifest):len(podManifest)], "data", ordered{}),
	} {
		t.Run(name, func(t *testing.T) { checkObject(t, objectOf(t, manifest)) })
	}
}

func TestObject_BigInteger(t *testing.T) {
	obj := objectOf(t, podManifest.with("spec", ordered{"n", uint64(math.MaxUint64)}))
	u, err := obj.Unstructured()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := u.Object["spec"], any(map[string]any{"n": float64(math.MaxUint64)}); !cmp.Equal(got, want) {
		t.Errorf("decoded: got %v, want %v", got, want)
	}
	minusOne, err := HashValue(map[string]any{"n": -1})
	if err != nil {
		t.Fatal(err)
	}
	if got := obj.Hash(); got != minusOne {
		t.Errorf("hash: got %d, want %d, that of the same 64 bits", got, minusOne)
	}
	canonical, err := obj.appendCanonical(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(canonical, pack(uint64(math.MaxUint64))) {
		t.Errorf("written: %x has not the integer that was read", canonical)
	}
}

func TestObject_Spec(t *testing.T) {
	if got := objectOf(t, roleManifest).Spec(); got != nil {
		t.Errorf("spec of an object without one: got %x, want nil", got)
	}
	if got, want := objectOf(t, podManifest).Spec(), pack(podManifest[7]); !bytes.Equal(got, want) {
		t.Errorf("spec: got %x, want %x", got, want)
	}
	null, err := HashValue(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := objectOf(t, roleManifest).Hash(); got != null {
		t.Errorf("hash without a spec: got %d, want null's %d", got, null)
	}
}

func TestNewObject_Refuses(t *testing.T) {
	tooDeep := any("bottom")
	for range MaxDepth - objectDepth {
		tooDeep = []any{tooDeep}
	}
	manifest := func(spec any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "x"}, "spec": spec}
	}
	tests := []struct {
		name string
		obj  map[string]any
		want error
	}{
		{"nothing", nil, ErrMissingKey},
		{"no name", map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{}}, ErrMissingKey},
		{"kind with a dot", map[string]any{"apiVersion": "v1", "kind": "P.d", "metadata": map[string]any{"name": "x"}}, ErrValue},
		{"Go type", manifest([]string{"a"}), ErrType},
		{"NaN", manifest(map[string]any{"a": math.NaN()}), ErrValue},
		{"not UTF-8", manifest([]any{"\xff"}), ErrValue},
		{"key not UTF-8", manifest(map[string]any{"\xff": nil}), ErrValue},
		{"too deep", manifest(tooDeep), ErrTooDeep},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := NewObject(&unstructured.Unstructured{Object: test.obj}); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	t.Run("just deep enough", func(t *testing.T) {
		obj, err := NewObject(&unstructured.Unstructured{Object: manifest(tooDeep.([]any)[0])})
		if err != nil {
			t.Fatal(err)
		}
		tr := Trace{Events: []Event{{Applied: []Object{obj}}}}
		mustRead(t, mustWrite(t, &tr))
	})
	t.Run("says which object", func(t *testing.T) {
		_, err := NewObject(&unstructured.Unstructured{Object: manifest(map[string]any{"a": []any{1, struct{}{}}})})
		if want := "encode Pod x: spec: a: [1]: a struct {} is not a JSON value"; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}
