package definition

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

func served(group string) bool { return slices.Contains([]string{"", "apps", "storage.k8s.io"}, group) }

func object(t *testing.T, apiVersion, kind, namespace string, fields map[string]any) trace.Object {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{}}
	for key, value := range fields {
		u.Object[key] = value
	}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetNamespace(namespace)
	u.SetName("x")
	o, err := trace.NewObject(u)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestSurvey_Missing(t *testing.T) {
	s := NewSurvey(served)
	s.Define(schema.GroupKind{Group: "given.example.com", Kind: "Thing"})
	s.Add(&trace.Event{Applied: []trace.Object{
		object(t, "v1", "Pod", "a", nil),
		object(t, "apps/v1beta1", "Deployment", "a", nil),
		object(t, "storage.k8s.io/v9", "Shelf", "", nil),
		object(t, "batch.volcano.sh/v1alpha1", "Job", "", nil),
		object(t, "batch.volcano.sh/v1beta1", "Job", "a", nil),
		object(t, "batch.volcano.sh/v1", "Job", "a", nil),
		object(t, "gateway.networking.k8s.io/v1", "GatewayClass", "", nil),
		object(t, "given.example.com/v1", "Thing", "a", nil),
		object(t, "example.com/v1", "Policy", "a", nil),
		object(t, "example.com/v1", "Own", "a", nil),
		object(t, "example.com/v1", "own", "a", nil),
		object(t, "example.com/1", "Bad", "a", nil),
		object(t, "example.com/v1", "Bad_Kind", "a", nil),
		object(t, "nodot/v1", "Kind", "a", nil),
	}})
	s.Add(&trace.Event{Applied: []trace.Object{
		object(t, "later.example.com/v1", "Late", "a", nil),
		object(t, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "", map[string]any{
			"spec": map[string]any{"group": "later.example.com", "names": map[string]any{"kind": "Late"}},
		}),
	}})
	var got []string
	for _, crd := range s.Missing() {
		line := fmt.Sprint(crd.Name, " ", crd.Spec.Names.Kind, " ", crd.Spec.Scope, " ", len(crd.Annotations))
		for _, version := range crd.Spec.Versions {
			line += fmt.Sprint(" ", version.Name, " ", version.Storage)
		}
		got = append(got, line)
	}
	want := []string{
		"jobs.batch.volcano.sh Job Namespaced 0 v1 true v1beta1 false v1alpha1 false",
		"owns.example.com Own Namespaced 0 v1 true",
		"policies.example.com Policy Namespaced 0 v1 true",
		"gatewayclasses.gateway.networking.k8s.io GatewayClass Cluster 1 v1 true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("definitions (-want +got):\n%s", diff)
	}
}
