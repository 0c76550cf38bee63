package simulator_test

import (
	"context"
	"errors"
	"os"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/simulator"
)

// With this variable set, the test binary is a program like sk-cluster with a component of its own.
const programVariable = "SIMKUBE_SIMULATOR_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		os.Exit(simulator.Main(simulator.WithComponent(failing())))
	}
	os.Exit(m.Run())
}

var errBroken = errors.New("broken")

// failing returns a component that fails when the first node is there, which is after the start of
// the control plane.
func failing() controlplane.Component {
	return controlplane.Component{
		Name:  "failing",
		Rules: []rbacv1.PolicyRule{{Verbs: []string{"watch"}, APIGroups: []string{""}, Resources: []string{"nodes"}}},
		Start: func(_ context.Context, access controlplane.Access) (controlplane.Instance, error) {
			client, err := kubernetes.NewForConfig(access.Config)
			if err != nil {
				return controlplane.Instance{}, err
			}
			run := func(ctx context.Context) error {
				nodes, err := client.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{})
				if err != nil {
					return err
				}
				defer nodes.Stop()
				<-nodes.ResultChan()
				return errBroken
			}
			return controlplane.Instance{Run: run}, nil
		},
	}
}
