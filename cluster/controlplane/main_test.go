package controlplane

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// A process can run one control plane, so the tests of this package share one, and those
// that need it to die run this test binary again with childEnv set.
const childEnv = "SIMKUBE_CONTROLPLANE_TEST_CHILD"

// reportFD is the descriptor that such a process writes to. In virtual time there are headers in
// its standard output.
const reportFD = 3

// startTimeout bounds the start of the control plane, and stopTimeout its end.
const (
	startTimeout = 2 * time.Minute
	stopTimeout  = 2 * time.Minute
)

// The control plane of the tests, what its component named reader was started with, and the events
// that its CreateFailed was called with.
var (
	shared   *ControlPlane
	reader   Access
	failures = make(chan *corev1.Event, 10)
)

func TestMain(m *testing.M) {
	virtualtime.Prepare()
	if what := os.Getenv(childEnv); what != "" {
		os.Exit(child(what))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	starting, started := context.WithTimeout(context.Background(), startTimeout)
	defer started()
	var err error
	shared, err = Start(starting, Options{
		MutatePod:  labelPod,
		CRDs:       []Manifest{{Name: "widgets.yaml", Data: []byte(crd("Widget"))}},
		Components: []Component{newReader()},
		Minimal:    virtualtime.Enabled, // as in a simulation
		CreateFailed: func(_ context.Context, event *corev1.Event) {
			select {
			case failures <- event:
			default:
			}
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "start the shared control plane:", err)
		return 1
	}
	code := m.Run()
	stopping, stopped := context.WithTimeout(context.Background(), stopTimeout)
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

// newReader returns a component that may read ConfigMaps, does nothing, and brings a CRD.
func newReader() Component {
	return Component{
		Name:  "reader",
		User:  "system:reader",
		Rules: []rbacv1.PolicyRule{{Verbs: []string{"get", "list"}, APIGroups: []string{""}, Resources: []string{"configmaps"}}},
		CRDs:  []Manifest{{Name: "books.yaml", Data: []byte(crd("Book"))}},
		Start: func(_ context.Context, access Access) (Instance, error) {
			reader = access
			return Instance{Run: func(ctx context.Context) error { <-ctx.Done(); return nil }}, nil
		},
	}
}

// child starts a control plane, breaks it, and reports what follows.
func child(what string) int {
	report := os.NewFile(reportFD, "report")
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	opts := Options{Minimal: virtualtime.Enabled}
	opts.setDefaults()
	components, err := builtinComponents(opts, &podQueue{})
	if err != nil {
		fmt.Fprintln(report, err)
		return 1
	}
	stopKWOK := func() {}
	if what == "kwok" {
		components[len(components)-1], stopKWOK = mortalKWOK()
	}
	cp, err := start(ctx, opts, components)
	if err != nil {
		fmt.Fprintln(report, "start:", err)
		return 1
	}
	switch what {
	case "etcd":
		cp.etcd.etcd.Server.HardStop()
	case "kwok":
		stopKWOK()
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
	stopCtx, cancelStop := context.WithTimeout(context.Background(), stopTimeout)
	defer cancelStop()
	fmt.Fprintln(report, "stop:", cp.Stop(stopCtx))
	return 0
}

// mortalKWOK returns KWOK, and a function that ends everything it has started.
func mortalKWOK() (Component, func()) {
	const timeout = 200 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	stages, _ := parseStages(builtinStages()) // the built-in ones are valid
	c := kwok(Options{}, stages, timeout)
	startInstance := c.Start
	c.Start = func(_ context.Context, access Access) (Instance, error) { return startInstance(ctx, access) }
	return c, cancel
}

// crd returns the definition of a custom resource.
func crd(kind string) string {
	singular := strings.ToLower(kind)
	return strings.NewReplacer("PLURAL", singular+"s", "SINGULAR", singular, "KIND", kind).Replace(crdTemplate)
}

const crdTemplate = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: PLURAL.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: PLURAL, singular: SINGULAR, kind: KIND}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`
