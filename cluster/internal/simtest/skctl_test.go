package simtest

import (
	"context"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
)

// A new user runs the example, watches it, looks at the results, and deletes the simulation.
func TestSkctl(t *testing.T) {
	concurrently(t)
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	name := "newcomer-" + ownPrefix(t)
	t.Cleanup(func() {
		sim := &simkubev1.Simulation{}
		sim.Name = name
		if t.Failed() {
			explain(t, sim)
		}
		// It is gone, unless the test has failed.
		_ = env.client.Delete(context.WithoutCancel(t.Context()), sim)
	})
	summary, err := run(t.Context(), "skctl", "run", name, "--speed", strconv.Itoa(concurrentSpeed),
		"--virtual-ns-prefix", ownPrefix(t), "--trace-path", "file://"+env.trace,
		"--driver-image", driverImage, "--driver-port", strconv.Itoa(ports[0]), "--results", "configmap/results", "--watch")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("skctl run --watch printed\n%s", summary)
	for _, want := range []string{"run", "pods"} {
		if !strings.Contains(strings.ToLower(summary), want) {
			t.Errorf("the summary has nothing of %q", want)
		}
	}
	table, err := run(t.Context(), "skctl", "get", name)
	if err != nil || !strings.Contains(table, "Finished") {
		t.Errorf("skctl get: %v\n%s", err, table)
	}
	if _, err := run(t.Context(), "skctl", "wait", name, "--timeout", "1m"); err != nil {
		t.Error(err)
	}
	text, err := run(t.Context(), "kubectl", "get", "simulation", name)
	if err != nil || !strings.Contains(text, "Finished") {
		t.Errorf("kubectl get: %v\n%s", err, text)
	}
	t.Logf("kubectl get simulation printed\n%s", text)
	if _, err := run(t.Context(), "skctl", "delete", name, "--wait"); err != nil {
		t.Error(err)
	}
	results := &corev1.ConfigMap{}
	if err := env.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "results"}, results); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(results.Data["run-01.json"], `"schemaVersion"`) {
		t.Errorf("the results that were kept are %.80q", results.Data)
	}
	if err := env.client.Delete(t.Context(), results); err != nil {
		t.Error(err)
	}
}
