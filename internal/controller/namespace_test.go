package controller

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

func TestFirstOfSomebody(t *testing.T) {
	core := func(kind string) schema.GroupVersionKind { return schema.GroupVersionKind{Version: "v1", Kind: kind} }
	for name, tc := range map[string]struct {
		kind  schema.GroupVersionKind
		names []string
		want  string
	}{
		"nothing":            {core("Secret"), nil, ""},
		"a Secret":           {core("Secret"), []string{"aws"}, "aws"},
		"default accounts":   {core("ServiceAccount"), []string{"default"}, ""},
		"an account":         {core("ServiceAccount"), []string{"default", "sk-driver"}, "sk-driver"},
		"default ConfigMaps": {core("ConfigMap"), []string{"kube-root-ca.crt"}, ""},
		"a ConfigMap":        {core("ConfigMap"), []string{"default"}, "default"},
		"events":             {core("Event"), []string{"x"}, ""},
		"newer events":       {schema.GroupVersionKind{Group: "events.k8s.io", Version: "v1", Kind: "Event"}, []string{"x"}, ""},
		"another's Event":    {schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Event"}, []string{"x"}, "x"},
		"another's account":  {schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "ServiceAccount"}, []string{"default"}, "default"},
	} {
		var items []metav1.PartialObjectMetadata
		for _, item := range tc.names {
			items = append(items, metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: item}})
		}
		if got := firstForeign(tc.kind, items); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

func TestIsNamespaceMadeHere(t *testing.T) {
	sim := simulationIn("Initializing")
	sim.Spec.Driver.Namespace = "load"
	made := objects.Namespace(sim)
	if made.Name != "load" || made.Annotations[objects.AnnotationUID] != "demo" || !isManagedNamespace(made) {
		t.Errorf("the created namespace is not recognized: %+v", made)
	}
	if _, simulated := made.Labels[simkubev1.LabelSimulation]; simulated {
		t.Error("the driver's namespace is labelled as a simulated one")
	}
	unmarked := objects.Namespace(sim)
	unmarked.Annotations = nil
	if isManagedNamespace(unmarked) {
		t.Error("a namespace without the annotation counts as created by the controller")
	}
}

func TestIsWanted(t *testing.T) {
	in := func(name, namespace string, state simkubev1.SimulationState) simkubev1.Simulation {
		sim := aged(name, 0, "", state)
		sim.Spec.Driver.Namespace = namespace
		return sim
	}
	self := in("self", "load", "Running")
	for name, tc := range map[string]struct {
		other simkubev1.Simulation
		want  bool
	}{
		"itself":    {self, false},
		"running":   {in("a", "load", "Running"), true},
		"waiting":   {in("a", "load", "Blocked"), true},
		"new":       {in("a", "load", ""), true},
		"ended":     {in("a", "load", "Failed"), false},
		"elsewhere": {in("a", "other", "Running"), false},
	} {
		if got := isUsed("load", []simkubev1.Simulation{self, tc.other}, &self); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}
