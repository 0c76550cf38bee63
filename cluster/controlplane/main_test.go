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
)

// A process can run one control plane, so the tests of this package share one, and those
// that need it to die run this test binary again with childEnv set.
const childEnv = "SIMKUBE_CONTROLPLANE_TEST_CHILD"

var shared *ControlPlane

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		os.Exit(child(what))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var err error
	shared, err = Start(ctx, Options{MutatePod: labelPod, CRDs: []Manifest{{Name: "widgets.yaml", Data: []byte(widgetCRD)}}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "start the shared control plane:", err)
		return 1
	}
	code := m.Run()
	if err := shared.Stop(ctx); err != nil {
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

// child starts a control plane, breaks it, and prints what comes of that.
func child(what string) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cp, err := Start(ctx, Options{Log: io.Discard})
	if err != nil {
		fmt.Println("start:", err)
		return 1
	}
	switch what {
	case "etcd":
		cp.etcd.etcd.Server.HardStop()
	case "killed":
		fmt.Println(cp.DataDir())
		time.Sleep(time.Hour)
	}
	select {
	case <-cp.Done():
		fmt.Println("done:", cp.Err())
	case <-ctx.Done():
		fmt.Println("nothing happened")
		return 1
	}
	stopCtx, cancelStop := context.WithTimeout(ctx, 20*time.Second)
	defer cancelStop()
	fmt.Println("stop:", cp.Stop(stopCtx))
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
