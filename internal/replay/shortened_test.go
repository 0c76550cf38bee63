package replay

import (
	"strings"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// TestBuilder_LongNamespace builds objects whose namespace would be too long with the prefix.
func TestBuilder_LongNamespace(t *testing.T) {
	recorded := strings.Repeat("team-", 12) + "ab"
	simulated := simkubev1.VirtualNamespace("virtual", recorded)
	if len(simulated) != 63 {
		t.Fatalf("simulated namespace %s: got %d characters, want 63", simulated, len(simulated))
	}
	b := isolatedBuilder()
	deployments := schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	b.config = &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{deployments: {}}}
	for name, manifest := range map[string]string{
		"namespace":  "{apiVersion: v1, kind: Namespace, metadata: {name: RECORDED}}",
		"deployment": "{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: RECORDED, name: web}, spec: {template: {spec: {}}}}",
	} {
		t.Run(name, func(t *testing.T) {
			object := objects(t, strings.ReplaceAll(manifest, "RECORDED", recorded))
			body, err := b.build(&object[0])
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(body), `"`+simulated+`"`) || !strings.Contains(string(body), `"static.simkube.io/original-namespace":"`+recorded+`"`) {
				t.Errorf("built %s, want the namespace %s and the annotation", body, simulated)
			}
		})
	}
	object := objects(t, "{apiVersion: v1, kind: Namespace, metadata: {name: short}}")
	if body, err := b.build(&object[0]); err != nil || strings.Contains(string(body), "original-namespace") {
		t.Errorf("built %s, %v, want no annotation", body, err)
	}
}

// TestRun_LongNamespace creates a namespace that the trace does not have as an object.
func TestRun_LongNamespace(t *testing.T) {
	recorded := strings.Repeat("b", 63)
	for name, shared := range map[string]bool{"shared": true, "embedded": false} {
		synctest.Test(t, func(t *testing.T) {
			target := newFake()
			report, _, err := replayed(t, target, Options{Shared: shared}, Plan{}, event(t, 0, []string{configMap(recorded, "x")}, nil))
			if err != nil || len(report.Problems) > 0 {
				t.Fatalf("%s: %v, %+v", name, err, report)
			}
			in, want := recorded, ""
			if shared {
				in, want = simkubev1.VirtualNamespace("virtual", recorded), recorded
			}
			created := target.objects[place{resource: namespaceResource(), name: in}]
			if created == nil || created.Annotations[simkubev1.AnnotationOriginalNamespace] != want {
				t.Errorf("%s: namespace %s: got %+v, want the recorded name %q", name, in, created, want)
			}
		})
	}
}
