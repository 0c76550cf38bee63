package controlplane

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// A process can run one control plane, so the tests of this package share one, and those
// that need it to die run this test binary again with childEnv set.
const childEnv = "SIMKUBE_CONTROLPLANE_TEST_CHILD"

// reportFD is where such a process tells what happens. In virtual time there are headers in what is written to the standard output.
const reportFD = 3

// patience is how long the control plane may take to start, or to stop.
const patience = 2 * time.Minute

var shared *ControlPlane

func TestMain(m *testing.M) {
	virtualtime.Prepare()
	if what := os.Getenv(childEnv); what != "" {
		os.Exit(child(what))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	starting, started := context.WithTimeout(context.Background(), patience)
	defer started()
	var err error
	shared, err = Start(starting, Options{
		MutatePod: labelPod,
		CRDs:      []Manifest{{Name: "widgets.yaml", Data: []byte(widgetCRD)}},
		Minimal:   virtualtime.Enabled, // as in a simulation
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "start the shared control plane:", err)
		return 1
	}
	code := m.Run()
	stopping, stopped := context.WithTimeout(context.Background(), patience)
	defer stopped()
	if err := shared.Stop(stopping); err != nil {
		fmt.Fprintln(os.Stderr, "stop the shared control plane:", err)
		return 1
	}
	if _, err := os.Stat(shared.DataDir()); !os.IsNotExist(err) {
		fmt.Fprintln(os.Stderr, "the data folder is still there:", shared.DataDir())
		return 1
	}
	return code
}

// labelPod mutates pods whose name begins with "mutate-" and rejects those with "reject-".
func labelPod(_ context.Context, pod *corev1.Pod, _ bool) (bool, error) {
	switch {
	case strings.HasPrefix(pod.Name, "reject-"):
		return false, fmt.Errorf("not this one: %s/%s", pod.Namespace, pod.Name)
	case strings.HasPrefix(pod.Name, "mutate-"):
		pod.Labels = map[string]string{"seen-in": pod.Namespace}
		pod.Spec.NodeSelector = map[string]string{"type": "virtual"}
		return true, nil
	}
	return false, nil
}

// child starts a control plane, breaks it, and reports what comes of that.
func child(what string) int {
	report := os.NewFile(reportFD, "report")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cp, err := Start(ctx, Options{Log: io.Discard, Minimal: virtualtime.Enabled})
	if err != nil {
		fmt.Fprintln(report, "start:", err)
		return 1
	}
	switch what {
	case "etcd":
		cp.etcd.etcd.Server.HardStop()
	case "killed":
		fmt.Fprintln(report, cp.DataDir())
		_, _ = os.Stdin.Read(make([]byte, 1)) // until it is killed
	}
	select {
	case <-cp.Done():
		fmt.Fprintln(report, "done:", cp.Err())
	case <-ctx.Done():
		fmt.Fprintln(report, "nothing happened")
		return 1
	}
	stopCtx, cancelStop := context.WithTimeout(context.Background(), patience)
	defer cancelStop()
	fmt.Fprintln(report, "stop:", cp.Stop(stopCtx))
	return 0
}

const widgetCRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`
