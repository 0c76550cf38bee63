package traceconvert

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// randomDeployment returns a Deployment with lists that are merged by a key, lists that are
// replaced, and maps.
func randomDeployment(r *rand.Rand) *appsv1.Deployment {
	replicas := int32(r.IntN(5))
	d := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "ns", Labels: map[string]string{}},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas},
	}
	for n := range 4 {
		if r.IntN(2) == 0 {
			d.Labels[fmt.Sprint("l", n)] = fmt.Sprint(r.IntN(3))
		}
	}
	pod := &d.Spec.Template.Spec
	for _, n := range r.Perm(4)[:1+r.IntN(3)] {
		c := corev1.Container{Name: fmt.Sprint("c", n), Image: fmt.Sprint("i", r.IntN(3))}
		for _, e := range r.Perm(4)[:r.IntN(4)] {
			c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprint("E", e), Value: fmt.Sprint(r.IntN(2))})
		}
		for range r.IntN(3) {
			c.Args = append(c.Args, fmt.Sprint(r.IntN(3)))
		}
		pod.Containers = append(pod.Containers, c)
	}
	for _, n := range r.Perm(3)[:r.IntN(3)] {
		pod.Tolerations = append(pod.Tolerations, corev1.Toleration{Key: fmt.Sprint("t", n)})
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: fmt.Sprint("v", n)})
	}
	return d
}

// TestApplyPatch checks that applying the patch between two objects to the first results in the
// second.
func TestApplyPatch(t *testing.T) {
	gvk := appsv1.SchemeGroupVersion.WithKind("Deployment")
	custom := schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Thing"}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		before, err := json.Marshal(randomDeployment(r))
		if err != nil {
			t.Fatal(err)
		}
		after, err := json.Marshal(randomDeployment(r))
		if err != nil {
			t.Fatal(err)
		}
		for kind, meta := range map[schema.GroupVersionKind]strategicpatch.LookupPatchMeta{
			gvk:    strategicpatch.PatchMetaFromStruct{T: strategicpatch.GetTagStructTypeOrDie(appsv1.Deployment{})},
			custom: knownMeta{},
		} {
			patch, err := strategicpatch.CreateTwoWayMergePatchUsingLookupPatchMeta(before, after, meta)
			if err != nil {
				t.Fatal(err)
			}
			patched, err := applyPatch(kind, before, patch)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			var want, got map[string]any
			if err := kjson.Unmarshal(after, &want); err != nil {
				t.Fatal(err)
			}
			if err := kjson.Unmarshal(patched, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d: %s after the patch %s (-want +got):\n%s", seed, kind.Kind, patch, diff)
			}
		}
	}
}

// TestApplyPatch_Directives checks that no directive of a patch stays in the object, whether or not
// the object has the patched part.
func TestApplyPatch_Directives(t *testing.T) {
	spec := func(inner string) string { return `{"spec":{"template":{"spec":{` + inner + `}}}}` }
	const volume = `{"$retainKeys":["name","configMap"],"configMap":{"name":"x"},"name":"a"}`
	for name, test := range map[string]struct{ base, patch, want string }{
		"retained keys": {
			`{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}}`,
			`{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}`, `{"spec":{"strategy":{"type":"Recreate"}}}`,
		},
		"retained keys of a new map":           {`{"spec":{}}`, `{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}`, `{"spec":{"strategy":{"type":"Recreate"}}}`},
		"retained keys of an element":          {spec(`"volumes":[{"name":"a","emptyDir":{}}]`), spec(`"volumes":[` + volume + `]`), spec(`"volumes":[{"configMap":{"name":"x"},"name":"a"}]`)},
		"retained keys of a new element":       {spec(`"volumes":[]`), spec(`"volumes":[` + volume + `]`), spec(`"volumes":[{"configMap":{"name":"x"},"name":"a"}]`)},
		"retained keys in a new list":          {spec(``), spec(`"volumes":[` + volume + `]`), spec(`"volumes":[{"configMap":{"name":"x"},"name":"a"}]`)},
		"deletion of an element in a new list": {spec(``), spec(`"volumes":[{"$patch":"delete","name":"q"}]`), spec(`"volumes":[]`)},
		"replaced list":                        {spec(`"tolerations":[{"key":"a"}]`), spec(`"tolerations":[{"$patch":"replace"},{"key":"b"}]`), spec(`"tolerations":[{"key":"b"}]`)},
		"replaced map":                         {spec(`"nodeSelector":{"a":"b"}`), spec(`"nodeSelector":{"$patch":"replace","c":"d"}`), spec(`"nodeSelector":{"c":"d"}`)},
		"order of a new list":                  {`{"metadata":{}}`, `{"metadata":{"$setElementOrder/finalizers":["b"],"finalizers":["b"]}}`, `{"metadata":{"finalizers":["b"]}}`},
		"deletion from no list":                {`{"metadata":{}}`, `{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}}`, `{"metadata":{}}`},
		"other keys with a dollar":             {`{"spec":{}}`, `{"spec":{"$ref":"#/a"}}`, `{"spec":{"$ref":"#/a"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := applyPatch(appsv1.SchemeGroupVersion.WithKind("Deployment"), []byte(test.base), []byte(test.patch))
			if err != nil || string(got) != test.want {
				t.Errorf("got %s and %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestApplyPatch_Malformed(t *testing.T) {
	const base = `{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}}`
	for name, patch := range map[string]string{
		"a map for a key":  `{"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": {}}], "containers": [{"name": {}}]}}}}`,
		"a list for a map": `{"spec": {"template": {"spec": {"containers": [[1]]}}}}`,
		"no object":        `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := applyPatch(appsv1.SchemeGroupVersion.WithKind("Deployment"), []byte(base), []byte(patch)); err == nil {
				t.Errorf("got %s, want an error", got)
			}
		})
	}
}
