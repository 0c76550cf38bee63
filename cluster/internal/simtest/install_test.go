package simtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/action"
)

const (
	// namespace is that of sk-ctrl and of the drivers in the manifests.
	namespace   = "simkube"
	ctrlImage   = "simkube/sk-ctrl:latest"
	driverImage = "simkube/sk-driver:latest"
	monitoring  = "monitoring"
)

// install applies the manifests as a user would, with simulated nodes and what the components need,
// and waits for sk-ctrl.
func install(ctx context.Context) error {
	nodes, err := os.ReadFile(filepath.Join(root, "config/sim/examples/nodes.yml"))
	if err != nil {
		return err
	}
	for _, text := range []string{operatorKinds(), string(nodes)} {
		if err := apply(ctx, text); err != nil {
			return err
		}
	}
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: monitoring}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "prometheus-k8s", Namespace: monitoring}},
	} {
		if err := env.client.Create(ctx, object); err != nil {
			return err
		}
	}
	if err := applyManifests(ctx); err != nil {
		return err
	}
	return waitForCtrl(ctx)
}

// apply uses the action of hooks.
func apply(ctx context.Context, manifests string) error {
	runner := &action.Runner{Config: env.config}
	_, err := runner.Run(ctx, simkubev1.SimulationHook{Apply: &simkubev1.ApplyAction{Manifests: manifests}}, nil)
	return err
}

// applyManifests runs kubectl apply for everything but KWOK, which is in the control plane, with
// the components that need operators. Pods share the machine's ports here, so sk-ctrl gets free
// ones. Hooks of the tests are commands, and their traces temporary files.
func applyManifests(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "simtest-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	relative := func(path string) string {
		absolute, absErr := filepath.Abs(filepath.Join(root, "config/sim", path))
		there, relErr := filepath.Rel(dir, absolute)
		err = errors.Join(err, absErr, relErr)
		return there
	}
	ports, portsErr := freePorts(2)
	kustomization := fmt.Sprintf(`
resources: [%s]
components: [%s, %s]
patches:
- target: {kind: Deployment, name: sk-ctrl}
  patch: |
    - {op: add, path: /spec/template/spec/containers/0/args/-, value: "--metrics-bind-address=:%[4]d"}
    - {op: add, path: /spec/template/spec/containers/0/args/-, value: "--health-probe-bind-address=:%[5]d"}
    - {op: add, path: /spec/template/spec/containers/0/args/-, value: "--hook-commands=true"}
    - {op: add, path: /spec/template/spec/containers/0/args/-, value: "--allowed-trace-paths=*"}
    - {op: replace, path: /spec/template/spec/containers/0/ports/0/containerPort, value: %[4]d}
    - {op: replace, path: /spec/template/spec/containers/0/ports/1/containerPort, value: %[5]d}
`, relative("overlays/no-kwok"), relative("components/metrics"), relative("components/cert-manager"), ports[0], ports[1])
	writeErr := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(kustomization), 0o600)
	if err := errors.Join(err, portsErr, writeErr); err != nil {
		return err
	}
	_, err = run(ctx, "kubectl", "apply", "--server-side", "-k", dir)
	return err
}

// run runs a program against the cluster and returns its output.
func run(ctx context.Context, program string, args ...string) (stdout string, err error) {
	cmd := exec.CommandContext(ctx, filepath.Join(env.programs, program), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+env.kubeconfig)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

// freePorts returns ports that were free a moment ago.
func freePorts(n int) ([2]int, error) {
	var ports [2]int
	var held []net.Listener
	defer func() {
		for _, listener := range held {
			listener.Close()
		}
	}()
	for i := range n {
		listener, err := net.Listen("tcp", ":0")
		if err != nil {
			return ports, err
		}
		held = append(held, listener)
		ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

// waitForCtrl waits until sk-ctrl is ready.
func waitForCtrl(ctx context.Context) error {
	err := wait.PollUntilContextTimeout(ctx, pollPeriod, waitTime, true, func(ctx context.Context) (bool, error) {
		deployment := &appsv1.Deployment{}
		err := env.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "sk-ctrl"}, deployment)
		return deployment.Status.AvailableReplicas == 1, err
	})
	if err != nil {
		return fmt.Errorf("wait for sk-ctrl: %w", err)
	}
	return nil
}

// ctrlLogs returns the output of sk-ctrl.
func ctrlLogs(ctx context.Context) string {
	pods := &corev1.PodList{}
	if err := env.client.List(ctx, pods, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/name": "sk-ctrl"}); err != nil {
		return err.Error()
	}
	var text strings.Builder
	for i := range pods.Items {
		fmt.Fprintf(&text, "%s is %s\n%s", pods.Items[i].Name, pods.Items[i].Status.Phase, env.kubelet.Logs(namespace, pods.Items[i].Name))
	}
	return text.String()
}

const (
	pollPeriod = 50 * time.Millisecond
	waitTime   = 2 * time.Minute
)
