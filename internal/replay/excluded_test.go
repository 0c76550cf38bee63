package replay

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// No request is sent for an object that every replay leaves out, also not for its deletion.
func TestRun_excludes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			webhook    = "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: w}}"
			service    = "{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1beta1.metrics.k8s.io}}"
			lease      = "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {namespace: ns, name: l}}"
			definition = `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: toys.example.com},
  spec: {conversion: {strategy: Webhook, webhook: {clientConfig: {url: "https://127.0.0.1:1/"}}}}}`
		)
		target := newFake()
		for _, kind := range []string{"ValidatingWebhookConfiguration", "APIService"} {
			target.served[schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: kind}] = false
		}
		report, _, err := replayed(t, target, Options{FailFast: true}, Plan{},
			event(t, 0, []string{webhook, service, lease, definition}, nil),
			event(t, 1, []string{webhook}, []string{lease}),
			event(t, 2, nil, []string{webhook, service}),
		)
		if err != nil {
			t.Fatal(err)
		}
		if report.Events != 3 || report.Applied != 1 || report.Deleted != 0 {
			t.Errorf("report = %+v, want 3 events and the definition applied", report)
		}
		want := []string{"create simulationroots sk-sim-root", "apply customresourcedefinitions toys.example.com"}
		if diff := cmp.Diff(want, target.lines("")); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		for _, bodies := range target.bodies {
			for _, body := range bodies {
				if strings.Contains(body, "127.0.0.1") || !strings.Contains(body, `"conversion":{"strategy":"None"}`) {
					t.Errorf("the definition has a webhook: %s", body)
				}
			}
		}
	})
}
