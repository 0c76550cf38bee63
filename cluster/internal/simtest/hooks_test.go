package simtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/action"
	"simkube.io/simkube/internal/hooks"
)

// ofNewKind holds an object before the definition of its kind, without a namespace.
const ofNewKind = `
apiVersion: tests.simkube.io/v1
kind: Gadget
metadata: {name: first}
spec: {size: 12345678}
---
apiVersion: tests.simkube.io/v1
kind: Gadget
metadata: {name: second, namespace: gadgets}
---
apiVersion: v1
kind: Namespace
metadata: {name: gadgets}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.tests.simkube.io}
spec:
  group: tests.simkube.io
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`

// Objects of a new kind can be applied, and applied again.
func TestApply(t *testing.T) {
	leavesNothing(t)
	t.Cleanup(func() {
		for _, object := range []client.Object{partial("apiextensions.k8s.io/v1", "CustomResourceDefinition", "gadgets.tests.simkube.io"), partial("v1", "Namespace", "gadgets")} {
			if err := env.client.Delete(context.WithoutCancel(t.Context()), object); err != nil {
				t.Error(err)
			}
		}
	})
	for range 2 {
		if err := apply(t.Context(), ofNewKind); err != nil {
			t.Fatal(err)
		}
	}
	gadgets := env.dynamic.Resource(schema.GroupVersionResource{Group: "tests.simkube.io", Version: "v1", Resource: "gadgets"})
	first, err := gadgets.Namespace(metav1.NamespaceDefault).Get(t.Context(), "first", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if size, _, _ := unstructured.NestedInt64(first.Object, "spec", "size"); size != 12345678 || first.GetManagedFields()[0].Manager != simkubev1.FieldManager {
		t.Errorf("got %v", first.Object)
	}
	if _, err := gadgets.Namespace("gadgets").Get(t.Context(), "second", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

// Actions that fail have useful messages.
func TestActions_Fail(t *testing.T) {
	nobody := rest.CopyConfig(env.config)
	nobody.Impersonate.UserName = "nobody"
	second := int32(1)
	for name, test := range map[string]struct {
		config *rest.Config
		hook   simkubev1.SimulationHook
		want   string
	}{
		"unknown kind": {env.config, simkubev1.SimulationHook{TimeoutSeconds: &second, Apply: &simkubev1.ApplyAction{
			Manifests: "{apiVersion: nowhere.example.com/v1, kind: Widget, metadata: {name: a}}",
		}}, `hook apply: took longer than its timeoutSeconds: apply Widget a, number 1 of 1: no matches for kind "Widget"`},
		"no namespace": {env.config, simkubev1.SimulationHook{Apply: &simkubev1.ApplyAction{
			Manifests: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: nowhere}}",
		}}, `hook apply: apply ConfigMap nowhere/a, number 1 of 1: namespaces "nowhere" not found`},
		"invalid": {env.config, simkubev1.SimulationHook{Apply: &simkubev1.ApplyAction{
			Manifests: "{apiVersion: v1, kind: ConfigMap, metadata: {name: A}}",
		}}, `hook apply: apply ConfigMap default/A`},
		"may not apply": {nobody, simkubev1.SimulationHook{Apply: &simkubev1.ApplyAction{
			Manifests: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}",
		}}, "forbidden"},
		"may not wait": {nobody, simkubev1.SimulationHook{WaitForPods: &simkubev1.WaitForPodsAction{}}, "hook waitForPods: list pods: pods is forbidden"},
		"may not delete": {nobody, simkubev1.SimulationHook{DeleteNodes: &simkubev1.DeleteNodesAction{
			Selector: metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}},
		}}, "hook deleteNodes: list nodes: nodes is forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			runner := &hooks.Runner{Actions: action.Runner{Config: test.config}}
			_, err := runner.Run(t.Context(), test.hook, nil)
			var failed *action.Error
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if err := env.client.Get(t.Context(), client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: "a"}, partial("v1", "ConfigMap", "a")); !apierrors.IsNotFound(err) {
		t.Errorf("something was applied: %v", err)
	}
}

func partial(version, kind, name string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: version, Kind: kind}, ObjectMeta: metav1.ObjectMeta{Name: name}}
}
