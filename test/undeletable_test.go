package test

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"simkube.io/simkube/trace"
)

// manifestOf returns an object of a trace.
func manifestOf(t *testing.T, manifest map[string]any) trace.Object {
	t.Helper()
	out, err := trace.NewObject(&unstructured.Unstructured{Object: manifest})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// nothingDeleted returns a policy, with its binding, that makes the API server reject every
// deletion.
func nothingDeleted(t *testing.T) []trace.Object {
	t.Helper()
	const group = "admissionregistration.k8s.io/v1"
	return []trace.Object{
		manifestOf(t, map[string]any{
			"apiVersion": group, "kind": "ValidatingAdmissionPolicy", "metadata": map[string]any{"name": "nothing-deleted"},
			"spec": map[string]any{
				"failurePolicy": "Fail",
				"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
					"apiGroups": []any{"*"}, "apiVersions": []any{"*"}, "resources": []any{"*"}, "operations": []any{"DELETE"},
				}}},
				"validations": []any{map[string]any{"expression": "false", "message": "nothing is deleted here"}},
			},
		}),
		manifestOf(t, map[string]any{
			"apiVersion": group, "kind": "ValidatingAdmissionPolicyBinding", "metadata": map[string]any{"name": "nothing-deleted"},
			"spec": map[string]any{"policyName": "nothing-deleted", "validationActions": []any{"Deny"}},
		}),
	}
}

// Objects that cannot be deleted, because of a policy of the trace or a finalizer, do not delay the
// end of a simulation.
func TestSimulate_NothingCanBeDeleted(t *testing.T) {
	t.Parallel()
	first := trace.Event{Time: traceStart, Applied: append(nothingDeleted(t), deploymentOf(t, "shop", "web", 5))}
	whole := written(t, first, trace.Event{Time: traceStart + 20})
	long := written(t, first, trace.Event{Time: traceStart + 20*86_400})
	for name, clock := range clocks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			s.skctl(append([]string{"simulate", whole, "-o", "whole"}, clock...)...).check(t, done)
			if got := summary(t, filepath.Join(s.dir, "whole")).Outcome; got.Pods.Ran != 5 || got.Problems.Total != 0 {
				t.Errorf("got %d pods that ran and %d problems, want 5 and none", got.Pods.Ran, got.Problems.Total)
			}
			c := s.start(append([]string{"simulate", long, "-o", "cut"}, clock...)...)
			c.waitFor("replaying", "events 1/2")
			c.signal(os.Interrupt)
			c.wait().check(t, interrupted)
			if !summary(t, filepath.Join(s.dir, "cut")).Run.Interrupted {
				t.Error("the summary does not say that the run was interrupted")
			}
			empty(t, s.tmp)
		})
	}
}
