package replay

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// TestRun_HeadlessService checks when a Service is created again: an API server would leave a
// headless one without an address.
func TestRun_HeadlessService(t *testing.T) {
	service := func(spec string) []string {
		return []string{fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {namespace: ns, name: db}, spec: {%s}}", spec)}
	}
	const headless, address, external = "clusterIP: None", "clusterIP: 10.0.0.7", "type: ExternalName, externalName: x"
	for name, test := range map[string]struct {
		specs    []string
		deleted  bool // between the versions
		replaced int
	}{
		"gets an address":       {specs: []string{headless, address, address}, replaced: 1},
		"without one yet":       {specs: []string{headless, "ports: []"}, replaced: 1},
		"stays":                 {specs: []string{headless, headless}},
		"had an address":        {specs: []string{address, address}},
		"gets an external name": {specs: []string{headless, external}},
		"is deleted":            {specs: []string{headless, address}, deleted: true},
		"and back":              {specs: []string{headless, address, headless, address}, replaced: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := newFake()
				target.served[schema.GroupVersionKind{Version: "v1", Kind: "Service"}] = true
				var events []trace.Event
				for i, spec := range test.specs {
					if test.deleted && i > 0 {
						events = append(events, event(t, int64(10*i-5), nil, service("")))
					}
					events = append(events, event(t, int64(10*i), service(spec), nil))
				}
				report, _, err := replayed(t, target, Options{}, Plan{}, events...)
				if err != nil || len(report.Problems) > 0 {
					t.Fatalf("%v, %+v", err, report.Problems)
				}
				want := map[schema.GroupVersionKind]int{}
				if test.replaced > 0 {
					want[schema.GroupVersionKind{Version: "v1", Kind: "Service"}] = test.replaced
				}
				if diff := cmp.Diff(want, report.Replaced); diff != "" {
					t.Errorf("replaced (-want +got):\n%s\n%v", diff, target.lines("services"))
				}
			})
		})
	}
}
