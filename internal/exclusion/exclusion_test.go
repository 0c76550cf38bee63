package exclusion

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/trace"
)

// parse returns the objects of manifests in YAML.
func parse(t *testing.T, manifests ...string) []trace.Object {
	t.Helper()
	var objects []trace.Object
	for _, manifest := range manifests {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(manifest), &u.Object); err != nil {
			t.Fatal(err)
		}
		object, err := trace.NewObject(u)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}

func manifest(apiVersion, kind, name string) string {
	return fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: %s}}", apiVersion, kind, name)
}

func TestRule_Leaves(t *testing.T) {
	for _, tc := range []struct {
		manifest string
		want     *Reason
	}{
		{manifest("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "a"), webhooks},
		{manifest("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", "a"), webhooks},
		{manifest("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "a"), policies},
		{manifest("admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicy", "a"), policies},
		{manifest("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io"), aggregated},
		{manifest("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "exempt"), fairness},
		{manifest("v1", "Node", "a"), simulated},
		{manifest("v1", "Event", "a"), recorded},
		{manifest("events.k8s.io/v1", "Event", "a"), recorded},
		{manifest("coordination.k8s.io/v1", "Lease", "kube-scheduler"), recorded},
		{manifest("v1", "Endpoints", "kubernetes"), recorded},
		{manifest("certificates.k8s.io/v1", "CertificateSigningRequest", "a"), recorded},
		{manifest("networking.k8s.io/v1", "IPAddress", "10.0.0.1"), allocated},
		{manifest("authentication.k8s.io/v1", "TokenReview", "a"), request},
		{manifest("simkube.io/v1", "Simulation", "a"), ourselves},
		{manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", "simulationroots.simkube.io"), ourselves},

		{manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", "jobs.batch.volcano.sh"), nil},
		{manifest("networking.k8s.io/v1", "NetworkPolicy", "a"), nil},
		{manifest("policy/v1", "PodDisruptionBudget", "a"), nil},
		{manifest("storage.k8s.io/v1", "StorageClass", "a"), nil},
		{manifest("apps/v1", "Deployment", "a"), nil},
		{manifest("v1", "Service", "a"), nil},
		{manifest("events.example.com/v1", "Event", "a"), nil},
	} {
		object := parse(t, tc.manifest)[0]
		if got := (Rule{}).Leaves(&object); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.manifest, got, tc.want)
		}
		if got := (Rule{Shared: true}).Leaves(&object); got != nil {
			t.Errorf("%s, cluster-scoped in a shared cluster: got %v, want none", tc.manifest, got)
		}
	}
	lease := parse(t, "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {namespace: shop, name: a}}")[0]
	if got := (Rule{Shared: true}).Leaves(&lease); got != recorded {
		t.Errorf("a namespaced object in a shared cluster: got %v, want %v", got, recorded)
	}
}

const converting = `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: toys.example.com}, spec: {group: example.com,
  conversion: {strategy: Webhook, webhook: {clientConfig: {url: "https://127.0.0.1:9443/convert"}, conversionReviewVersions: [v1]}}}}`

func TestRemoveConversion(t *testing.T) {
	for text, want := range map[string]bool{
		converting:                               true,
		"{spec: {conversion: {strategy: None}}}": false,
		"{spec: {group: example.com}}":           false,
		"{spec: 5}":                              false,
		"{}":                                     false,
	} {
		var manifest map[string]any
		if err := yaml.Unmarshal([]byte(text), &manifest); err != nil {
			t.Fatal(err)
		}
		if got := RemoveConversion(manifest); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
		if after := fmt.Sprint(manifest); strings.Contains(after, "127.0.0.1") {
			t.Errorf("there is still a webhook: %s", after)
		}
	}
}

func TestCounter(t *testing.T) {
	var c Counter
	c.Add(&trace.Event{Applied: parse(
		t, manifest("apps/v1", "Deployment", "a"), manifest("v1", "Event", "a"), manifest("v1", "Event", "b"), converting,
		manifest("coordination.k8s.io/v1", "Lease", "a"), manifest("apiregistration.k8s.io/v1", "APIService", "v1.apps"),
		"{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: a}, spec: {service: {name: a, namespace: shop}}}",
	)})
	c.Add(&trace.Event{Applied: parse(t, manifest("v1", "Event", "b"), converting), Deleted: parse(t, manifest("v1", "Node", "a"))})
	want := []string{
		"objects left out: Event (2) and Lease (1): " + recorded.Text,
		"objects left out: APIService (2): " + aggregated.Text + "; " + aggregated.Effect,
		"1 CustomResourceDefinition without conversion: " + ConversionText,
	}
	if diff := cmp.Diff(want, c.Notes()); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if got := (&Counter{}).Notes(); got != nil {
		t.Errorf("nothing is left out: got %q", got)
	}
}

func TestReason_Matters(t *testing.T) {
	const rules = "{apiVersion: admissionregistration.k8s.io/v1, kind: %s, metadata: {name: a}, webhooks: [{rules: [{apiGroups: [cert-manager.io], resources: [\"*\"], operations: [\"*\"]}, %s]}]}"
	const policy = "{apiVersion: admissionregistration.k8s.io/v1, kind: %s, metadata: {name: a}, spec: {matchConstraints: {resourceRules: [%s]}}}"
	const pods = "{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE]}"
	const changes = "{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [UPDATE]}"
	const everything = "{apiGroups: [\"*\"], apiVersions: [\"*\"], resources: [\"*\"], operations: [\"*\"]}"
	const others = "{apiGroups: [\"\", apps], apiVersions: [v1], resources: [services, deployments, pods/exec], operations: [CREATE]}"
	for text, want := range map[string]string{
		fmt.Sprintf(rules, "ValidatingWebhookConfiguration", pods):                                                   "webhooks[0].rules[1]",
		fmt.Sprintf(rules, "MutatingWebhookConfiguration", everything):                                               "webhooks[0].rules[1]",
		fmt.Sprintf(rules, "MutatingWebhookConfiguration", others):                                                   "",
		fmt.Sprintf(rules, "MutatingWebhookConfiguration", changes):                                                  "",
		fmt.Sprintf(policy, "ValidatingAdmissionPolicy", pods):                                                       "spec.matchConstraints.resourceRules[0]",
		fmt.Sprintf(policy, "MutatingAdmissionPolicy", everything):                                                   "spec.matchConstraints.resourceRules[0]",
		fmt.Sprintf(policy, "ValidatingAdmissionPolicy", others):                                                     "",
		manifest("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "a"):                         "",
		"{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: a}, spec: {service: {name: b}}}": "spec.service",
		manifest("apiregistration.k8s.io/v1", "APIService", "v1.apps"):                                               "",
		manifest("v1", "Node", "a"):                                                                                  "",
	} {
		object := parse(t, text)[0]
		if got := (Rule{}).Leaves(&object).Matters(&object); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
