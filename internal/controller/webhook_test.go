package controller

import (
	"slices"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

func TestRepair(t *testing.T) {
	sim := simulationIn("Running")
	ours := []byte("ours")
	first := func(w *admissionv1.MutatingWebhookConfiguration) *admissionv1.MutatingWebhook { return &w.Webhooks[0] }
	for name, tc := range map[string]struct {
		change  func(*admissionv1.MutatingWebhookConfiguration)
		changed bool
	}{
		"nothing":      {func(*admissionv1.MutatingWebhookConfiguration) {}, false},
		"a label more": {func(w *admissionv1.MutatingWebhookConfiguration) { w.Labels["a"] = "b" }, false},
		"fails open":   {func(w *admissionv1.MutatingWebhookConfiguration) { first(w).FailurePolicy = new(admissionv1.Ignore) }, true},
		"no selector":  {func(w *admissionv1.MutatingWebhookConfiguration) { first(w).NamespaceSelector = nil }, true},
		"some pods only": {func(w *admissionv1.MutatingWebhookConfiguration) {
			first(w).ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
		}, true},
		"a condition more": {func(w *admissionv1.MutatingWebhookConfiguration) {
			first(w).MatchConditions = append(first(w).MatchConditions, admissionv1.MatchCondition{Name: "never", Expression: "false"})
		}, true},
		"another service": {func(w *admissionv1.MutatingWebhookConfiguration) { first(w).ClientConfig.Service.Name = "other" }, true},
		"none at all":     {func(w *admissionv1.MutatingWebhookConfiguration) { w.Webhooks = nil }, true},
		"one more": {func(w *admissionv1.MutatingWebhookConfiguration) {
			w.Webhooks = append(w.Webhooks, admissionv1.MutatingWebhook{Name: "x"})
		}, true},
		"no label":  {func(w *admissionv1.MutatingWebhookConfiguration) { delete(w.Labels, objects.LabelManagedBy) }, true},
		"of before": {func(w *admissionv1.MutatingWebhookConfiguration) { w.Annotations[objects.AnnotationUID] = "earlier" }, true},
		"an owner": {func(w *admissionv1.MutatingWebhookConfiguration) {
			w.OwnerReferences = []metav1.OwnerReference{{Name: "x"}}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			want := objects.Webhook(sim, ours)
			found := want.DeepCopy()
			found.ResourceVersion = "7"
			tc.change(found)
			if got := repair(found, want); got != tc.changed {
				t.Errorf("repaired: got %v, want %v", got, tc.changed)
			}
			if found.ResourceVersion != "7" || len(found.OwnerReferences) > 0 || found.Annotations[objects.AnnotationUID] != "demo" ||
				!isManaged(found) || !apiequality.Semantic.DeepEqual(found.Webhooks, want.Webhooks) {
				t.Errorf("got %+v", found)
			}
			if repair(found, want) {
				t.Error("a repaired webhook is repaired again")
			}
		})
	}
}

func TestRepair_Authority(t *testing.T) {
	sim := simulationIn("Running")
	found := objects.Webhook(sim, []byte("theirs"))
	if repair(found, objects.Webhook(sim, nil)) || string(found.Webhooks[0].ClientConfig.CABundle) != "theirs" {
		t.Errorf("lost the bundle of cert-manager: %+v", found.Webhooks)
	}
	found.Webhooks[0].FailurePolicy = new(admissionv1.Ignore)
	if !repair(found, objects.Webhook(sim, nil)) || string(found.Webhooks[0].ClientConfig.CABundle) != "theirs" {
		t.Errorf("a repair lost the bundle of cert-manager: %+v", found.Webhooks)
	}
	if !repair(found, objects.Webhook(sim, []byte("ours"))) || string(found.Webhooks[0].ClientConfig.CABundle) != "ours" {
		t.Errorf("the bundle of another CA stays: %+v", found.Webhooks)
	}
}

func TestIsWebhookOf(t *testing.T) {
	sim := simulationIn("Running")
	owned := &admissionv1.MutatingWebhookConfiguration{}
	owned.OwnerReferences = []metav1.OwnerReference{objects.Owner(objects.Metaroot(sim))}
	unlabelled := objects.Webhook(sim, nil)
	unlabelled.Labels = nil
	other := sim.DeepCopy()
	other.Name, other.UID = "other", "other"
	earlier := sim.DeepCopy()
	earlier.UID = "earlier"
	for name, tc := range map[string]struct {
		found client.Object
		want  bool
	}{
		"its own":                {objects.Webhook(sim, nil), true},
		"without labels":         {unlabelled, true},
		"of an earlier one":      {objects.Webhook(earlier, nil), true},
		"of an earlier release":  {owned, true},
		"of another":             {objects.Webhook(other, nil), false},
		"somebody's":             {&admissionv1.MutatingWebhookConfiguration{}, false},
		"with nothing in common": {&admissionv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{objects.AnnotationUID: ""}}}, false},
	} {
		if got := isWebhookOf(sim)(tc.found); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
	if gone := (&simkubev1.Simulation{}); isWebhookOf(gone)(&admissionv1.MutatingWebhookConfiguration{}) {
		t.Error("a simulation without a UID has a webhook without one")
	}
}

func TestDriverRoots(t *testing.T) {
	root := func(name string) simkubev1.SimulationRoot {
		return simkubev1.SimulationRoot{ObjectMeta: metav1.ObjectMeta{Name: name}}
	}
	meta := root(simkubev1.MetarootName("demo"))
	owner := root("gone-root")
	space := metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Kind: "Other", Name: "x"}, objects.Owner(&owner)}}}
	for name, tc := range map[string]struct {
		pod        string
		roots      []simkubev1.SimulationRoot
		namespaces []metav1.PartialObjectMetadata
		want       []string
	}{
		"nothing was made":        {},
		"a driver":                {"sk-demo-driver-a", []simkubev1.SimulationRoot{meta, root("sk-demo-driver-a-root")}, nil, []string{"sk-demo-driver-a-root"}},
		"all roots are gone":      {pod: "sk-demo-driver-a", want: []string{"sk-demo-driver-a-root"}},
		"an earlier driver":       {"b", []simkubev1.SimulationRoot{root("a-root")}, nil, []string{"a-root", "b-root"}},
		"only the metaroot":       {"", []simkubev1.SimulationRoot{meta}, nil, nil},
		"a namespace of a root":   {"", nil, []metav1.PartialObjectMetadata{space}, []string{"gone-root"}},
		"a namespace of nobody's": {"", nil, []metav1.PartialObjectMetadata{{}}, nil},
	} {
		sim := simulationIn("Running")
		sim.Status.Driver = &simkubev1.DriverStatus{Pod: tc.pod}
		if got := driverRoots(sim, tc.roots, tc.namespaces); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}
